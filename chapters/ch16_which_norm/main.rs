//! # Chapter 16: which norm when?
//!
//! - Claim: on batches of 2, normalization layers that use one example alone are better than BatchNorm (Wu & He 2018,
//!   arXiv:1803.08494, abstract; Hung-yi Lee 2021, "To learn more"); on batches of 32 none is better by more than a
//!   point. Later methods need less: no mean (Zhang & Sennrich 2019, arXiv:1910.07467), no statistics (Zhu et al. 2025,
//!   arXiv:2503.10622), no normalization (Brock et al. 2021, arXiv:2102.06171).
//! - Protocol: all normalizations of the book on the same tasks on Fashion-MNIST, SGD. A ReLU MLP 784-100-100-10 at
//!   each rate of a grid, with batches of 32 and, on the same number of examples, of 2; a CNN (8, 16, 32 channels) with
//!   batches of 32 at one rate for all, with the probes of chapter 8. Those that normalize single maps (instance,
//!   filter response) have nothing to normalize in an MLP.
//! - Measure: the MLP's test accuracy at the best rate of the grid, seed by seed, and its mean over the grid (a
//!   diverged run is at chance); the CNN's test accuracy, effective β along the gradient, and the distance of its
//!   logits in evaluation from those in training.
//! - Holds if: see `claims.rs`. Floors were written before the one pilot, seed 1000. After it two rates were added to
//!   the grid of batches of 2, and spectral normalization was taken out of `gap`: its power iteration goes on in
//!   training.
//! - Differs: the papers train ResNets, transformers and recurrent networks, tune each arm's rate, and train until
//!   accuracy no longer rises.

mod claims;
#[cfg(test)]
mod tests;

use anyhow::Result;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::convolutional::{SMALL_CNN, channels};
use normbook::norm::{NormKind, UnitShape};
use normbook::probe::benchmark::{Benchmark, CLIPPED, NORMS};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook::train::optimizer::OptimizerKind;
use normbook_lab::cli::parse::positive;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials};

/// Which norm when?
#[derive(clap::Args, serde::Serialize, Clone)]
struct WhichNorm {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate of the CNN
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// One more row: a normalization by name, such as your own; may be given several times
    #[arg(long = "norm", value_name = "NORM")]
    norms: Vec<NormKind>,
}

/// Effective β along the gradient.
const BETA: &str = "gradient_beta";

impl Chapter for WhichNorm {
    const ID: &'static str = "ch16";
    const TITLE: &'static str = "Which norm when?";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    /// Steps of the CNN.
    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 1, 2),
            Scale::Book => Protocol::new(scale, 10, 200),
            Scale::Paper => Protocol::new(scale, 10, 10_000),
        }
    }

    fn arms(&self, protocol: &Protocol, _: &Trials) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let norms: Vec<NormKind> = NORMS.iter().map(|norm| norm.parse()).collect::<Result<_, _>>()?;
        let mut arms = Vec::new();
        for norm in &self.norms {
            norm.fits(&channels(&SMALL_CNN), UnitShape::Map)?;
        }
        for norm in norms.iter().chain(&self.norms) {
            arms.extend(self.row(&norm.to_string(), &data, *norm, OptimizerKind::Sgd, protocol.steps));
        }
        let (name, rule) = CLIPPED;
        arms.extend(self.row(name, &data, NormKind::None, rule, protocol.steps));
        Ok(arms)
    }

    fn record_filter(_: &str, _: Option<u64>, name: &str) -> bool {
        name == TEST_ACCURACY || name == BETA
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl WhichNorm {
    // ANCHOR: row
    /// The arms of a row.
    fn row(&self, name: &str, data: &Dataset, norm: NormKind, rule: OptimizerKind, steps: u64) -> Vec<Arm> {
        let tasks = Benchmark { data, norm, rule, learning_rate: self.learning_rate, steps };
        let mut arms = vec![Arm::seeded(cnn(name), tasks.cnn())];
        arms.extend(tasks.mlps().into_iter().map(|(batch, sweep)| Arm::seeded(mlp(name, batch), sweep)));
        arms
    }
    // ANCHOR_END: row
}

/// The name of a row's CNN.
fn cnn(row: &str) -> String {
    format!("{row}, CNN")
}

/// The name of a row's MLP.
fn mlp(row: &str, batch: usize) -> String {
    format!("{row}, batches of {batch}")
}

normbook::chapter!(WhichNorm);
