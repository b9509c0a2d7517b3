//! What chapter 16 asks of every norm, in one place for all who ask it: the chapter, `cargo bench --bench norms`, and
//! the assignment in which students bring a norm of their own.

use super::norm_profile::NormProfile;
use super::probe_schedule::Probes;
use super::rate_sweep::RateSweep;
use crate::data::dataset::Dataset;
use crate::net::convolutional::SMALL_CNN;
use crate::norm::{NormKind, UnitShape};
use crate::train::classifier::{Architecture, Classifier};
use crate::train::optimizer::OptimizerKind;

// ANCHOR: rows
/// One row each; below them a net without a norm whose gradients are clipped.
pub const NORMS: [&str; 12] = [
    "none",
    "batch",
    "renorm:1.5:0.5:0",
    "layer",
    "instance",
    "group:4",
    "weight",
    "weight:mean",
    "spectral",
    "rms",
    "frn",
    "dyt",
];
pub const CLIPPED: (&str, OptimizerKind) = ("clipped", OptimizerKind::Clipped(0.16));
/// Learning rates of the MLP, on batches of 32 and on batches of 2.
const RATES: [f64; 6] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
const RATES_OF_2: [f64; 7] = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3];
/// Widths of its hidden layers.
const MLP: [usize; 2] = [100; 2];
// ANCHOR_END: rows

/// The tasks, for one norm.
pub struct Benchmark<'a> {
    pub data: &'a Dataset,
    pub norm: NormKind,
    pub rule: OptimizerKind,
    /// Of the CNN.
    pub learning_rate: f64,
    /// Of the CNN.
    pub steps: u64,
}

// ANCHOR: tasks
impl Benchmark<'_> {
    /// The CNN on batches of 32, with the probes of chapter 8 on the way.
    pub fn cnn(&self) -> NormProfile {
        let cnn = Architecture::Convolutional(&SMALL_CNN);
        let probes = Probes { looks: 6, examples: 128, multiples: vec![0.5, 1.0, 2.0, 4.0], ..Probes::default() };
        NormProfile { training: self.training(cnn, self.learning_rate, 32, self.steps), probes }
    }

    /// The MLP at each rate of a grid, by batch size, on half of the CNN's examples; nothing where the norm has nothing
    /// to do in an MLP.
    pub fn mlps(&self) -> Vec<(usize, RateSweep)> {
        if self.norm.fits(&MLP, UnitShape::Value).is_err() {
            return Vec::new();
        }
        let steps = self.steps.div_ceil(2);
        let grids = [(32, &RATES[..], steps), (2, &RATES_OF_2, 16 * steps)];
        let sweep = |(batch, rates, steps): (usize, &[f64], u64)| {
            let training = self.training(Architecture::Mlp(MLP.to_vec()), 1.0, batch, steps);
            (batch, RateSweep { training, multiples: rates.to_vec() })
        };
        grids.map(sweep).into()
    }

    fn training(&self, architecture: Architecture, learning_rate: f64, batch_size: usize, steps: u64) -> Classifier {
        let usual = Classifier::sgd(self.data, architecture, self.norm, learning_rate, batch_size, steps);
        Classifier { rule: self.rule, ..usual }
    }
}
// ANCHOR_END: tasks
