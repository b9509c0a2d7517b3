//! # Chapter 5: the original paper's curves
//!
//! - Claim: batch normalization needs fewer steps and ends higher (§4.1, Fig. 1), takes larger learning rates (§3.3,
//!   §4.2, Fig. 2), tolerates poor initial weights (abstract), regularizes (§3.4) and lets deep sigmoid networks train
//!   (§4.2). (Ioffe & Szegedy 2015, arXiv:1502.03167.) At small rates it makes no difference; without it one large step
//!   blows the activations up (Bjorck et al. 2018, arXiv:1806.02375).
//! - Protocol: the MLP of §4.1, 784-100-100-100-10, batch 60, plain SGD, on Fashion-MNIST; sigmoids for Fig. 1, ReLU
//!   where the paper's network has it. Fig. 1: initial weights of standard deviation σ = 0.01 to 1, each arm at its own
//!   best rate, and the best of all. ReLU: multiples of the plain network's best rate. Seeds 1000 and 1001 are pilots.
//! - Measure: the first judged step (12 a decade) with 80 % test accuracy; test accuracy at the end; drift of the
//!   percentiles of all units; test loss at equal training loss; growth of activations in one step; singular values.
//! - Holds if: see `claims.rs`. Grids, levels and floors are from pilot seeds 1000 to 1004. There plain networks with
//!   eight sigmoid layers stayed at chance from Glorot's weights and trained from σ = 0.3. From poor weights the plain
//!   MLP did not reach the target at all: their cost is measured in accuracy and not in steps.
//! - Differs: Fashion-MNIST's pixels for binary MNIST; 2,000 steps for 50,000; an MLP for Inception on ImageNet in Fig.
//!   2, with nothing else changed between its arms. The paper states neither rates, σ nor seeds for Fig. 1. On any
//!   images and at any scale the MLP stays: it is the network of Fig. 1. A VGG on CIFAR-10 would be in neither.

mod claims;
mod generalization;
mod large_step;
mod percentiles;
mod pilots;
#[cfg(test)]
mod tests;

use anyhow::Result;
use generalization::Generalization;
use large_step::LargeStep;
use normbook::data::image_data::ImageData;
use normbook::net::layer::Weights::{Deviation, Glorot};
use normbook::norm::NormKind;
use normbook::probe::rate_sweep::RateSweep;
use normbook::probe::singular_values::SingularValues;
use normbook::train::paper_mlp::{PaperMlp, dropping, layers, part};
use normbook_lab::cli::parse::{batch_size, positive};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Sweep, Trials};
use percentiles::Percentiles;
use pilots::best_init;

/// Batch normalization needs fewer steps and allows larger learning rates
#[derive(clap::Args, serde::Serialize, Clone)]
struct OriginalPaper {
    #[command(flatten)]
    images: ImageData,
    /// Standard deviation of the initial weights of the deep sigmoid networks [default: Glorot's]
    #[arg(long, value_parser = positive)]
    deep_deviation: Option<f64>,
    /// The one large step, in multiples of the network's learning rate
    #[arg(long, default_value_t = 30.0, value_parser = positive)]
    large_multiple: f64,
    /// Examples of the batch whose Jacobian is taken; at least 2
    #[arg(long, default_value_t = 60, value_parser = batch_size)]
    jacobian_batch: u64,
}

// ANCHOR: arms
const RATES: &[f64] = &[0.1, 0.3, 1.0, 3.0, 10.0];
const fn sweep(arm: &'static str) -> Sweep {
    Sweep { arm, learning_rates: RATES }
}
/// Standard deviations of the sigmoid networks' initial weights.
const INITS: [f64; 4] = [0.01, 0.1, 0.3, 1.0];
const NORMS: [(&str, NormKind, [Sweep; 4]); 2] = [
    ("plain", NormKind::None, [sweep("plain, 0.01"), sweep("plain, 0.1"), sweep("plain, 0.3"), sweep("plain, 1")]),
    ("batch", NormKind::BATCH, [sweep("batch, 0.01"), sweep("batch, 0.1"), sweep("batch, 0.3"), sweep("batch, 1")]),
];
/// The plain ReLU network; the rate it chooses is ×1 for both arms.
const BASE: Sweep = Sweep { arm: "ReLU plain", learning_rates: &[0.025, 0.05, 0.1, 0.2, 0.4] };
const MULTIPLES: [f64; 8] = [0.1, 0.3, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0];
const DEEP_RATES: [f64; 3] = [0.03, 0.3, 3.0];
/// Training losses (nats) at which test losses are compared.
const LEVELS: [f64; 3] = [0.35, 0.3, 0.2];
// ANCHOR_END: arms

impl Chapter for OriginalPaper {
    const ID: &'static str = "ch05";
    const TITLE: &'static str = "The original paper's curves";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 2, 40).with_pilots(1),
            Scale::Book => Protocol::new(scale, 10, 2_000).with_pilots(2),
            Scale::Paper => Protocol::new(scale, 10, 50_000).with_pilots(2),
        }
    }

    fn pilots(&self, protocol: &Protocol) -> Result<Vec<Arm>> {
        Ok(pilots::pilots(&self.net(protocol)?))
    }

    // ANCHOR: protocol
    fn arms(&self, protocol: &Protocol, pilots: &Trials) -> Result<Vec<Arm>> {
        let net = self.net(protocol)?;
        let sigmoid = |norm, deviation, rate| {
            let training = net.sigmoid(norm, Deviation(deviation), rate);
            Percentiles { training, layer: 2, examples: 1_000, samples: 40 }
        };
        let jacobian = |batch: u64| SingularValues { width: 100, batch_size: batch as usize };
        let mut arms =
            vec![Arm::seeded("jacobian", jacobian(self.jacobian_batch)), Arm::seeded("jacobian of two", jacobian(2))];
        let base = BASE.best(pilots, protocol.scale)?;
        let (plain_init, plain_rate) = best_init(&NORMS[0].2, pilots, protocol.scale)?;
        arms.push(Arm::seeded("batch as plain", sigmoid(NormKind::BATCH, plain_init, plain_rate)));
        for (name, norm, sweeps) in NORMS {
            for (sweep, init) in [(sweeps[0], INITS[0]), (sweeps[3], INITS[3])] {
                arms.push(Arm::seeded(sweep.arm, sigmoid(norm, init, sweep.best(pilots, protocol.scale)?)));
            }
            let (init, rate) = best_init(&sweeps, pilots, protocol.scale)?;
            arms.push(Arm::seeded(name, sigmoid(norm, init, rate)));
            let relu = |rate| net.relu(norm, rate);
            let judged =
                |training, levels: &[f64]| Generalization { training, examples: 1_000, levels: levels.to_vec() };
            let rates = RateSweep { training: part(relu(base), 4), multiples: MULTIPLES.to_vec() };
            arms.push(Arm::seeded(format!("ReLU {name}, rates"), rates));
            arms.push(Arm::seeded(format!("ReLU {name}, a tenth of the rate"), judged(relu(base / 10.0), &[])));
            arms.push(Arm::seeded(format!("ReLU {name}"), judged(relu(base), &LEVELS)));
            arms.push(Arm::seeded(format!("ReLU {name}, dropout"), judged(dropping(relu(base), 0.3), &LEVELS)));
            for (step, factor) in [("large step", self.large_multiple), ("three times the step", 3.0)] {
                let training = layers(part(relu(base), 4), 6);
                arms.push(Arm::seeded(format!("{name}, {step}"), LargeStep { training, factor }));
            }
        }
        let deep = |norm, weights, rate| layers(part(net.sigmoid(norm, weights, rate), 2), 8);
        let weights = self.deep_deviation.map_or(Glorot, Deviation);
        for rate in DEEP_RATES {
            arms.push(Arm::seeded(format!("deep plain at {rate}"), deep(NormKind::None, weights, rate)));
        }
        arms.push(Arm::seeded("deep batch", deep(NormKind::BATCH, weights, 0.3)));
        arms.push(Arm::seeded("deep plain, init 0.3", deep(NormKind::None, Deviation(0.3), 0.3)));
        Ok(arms)
    }
    // ANCHOR_END: protocol

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl OriginalPaper {
    fn net(&self, protocol: &Protocol) -> Result<PaperMlp> {
        Ok(PaperMlp { data: self.images.labelled(protocol.scale)?, steps: protocol.steps })
    }
}

normbook::chapter!(OriginalPaper);
