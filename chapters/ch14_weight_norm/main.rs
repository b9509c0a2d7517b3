//! # Chapter 14: weight normalization
//!
//! - Claim: writing a unit's weights as w = g v / ‖v‖ improves the conditioning of the optimization problem and speeds
//!   up training; ∇_v L is orthogonal to v, so ‖v‖ grows and training is robust to the value of the learning rate; with
//!   mean-only BatchNorm it does better than BatchNorm. (Salimans & Kingma 2016, arXiv:1602.07868, abstract, §2.1, §3,
//!   §4, §5.1, Table 2; Hung-yi Lee 2021, "To learn more".)
//! - Protocol: the identities in f64; a ReLU MLP 784-100-100-10 on Fashion-MNIST, batch 64, SGD at rates from 0.01 to
//!   10, with the same weights without normalization, with weight normalization and with BatchNorm; ‖v‖ of each unit at
//!   each step of SGD, of SGD with weight decay and of Adam; a CNN (8, 16, 32 channels), batch 64, each arm at its own
//!   fastest rate, chosen on pilot seeds 1000 and 1001 by the steps to a test accuracy of 70 %.
//! - Measure: differences from the identities; the share of steps at which a ‖v‖ falls; the largest test accuracy over
//!   the rates minus the smallest (a diverged run is at chance); steps to 70 %; test accuracy.
//! - Holds if: see `claims.rs`. Floors are those of the plan; no run was made before.
//! - The last layer is not normalized in any arm; weight decay acts on v, not on g.
//! - Differs: the paper trains ConvPool-CNN-C on CIFAR-10 by Adam for 200 epochs.

mod claims;
mod direction_growth;
#[cfg(test)]
mod tests;
mod weight_identities;

use anyhow::Result;
use direction_growth::DirectionGrowth;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::convolutional::SMALL_CNN;
use normbook::norm::NormKind;
use normbook::probe::train_eval::TrainEval;
use normbook::train::classifier::{Architecture, Classifier};
use normbook::train::optimizer::OptimizerKind;
use normbook_lab::cli::parse::batch_size;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Sweep, Trials};
use weight_identities::WeightIdentities;

/// Weight normalization: direction and length apart
#[derive(clap::Args, serde::Serialize, Clone)]
struct WeightNormalization {
    #[command(flatten)]
    images: ImageData,
    /// Examples of a batch
    #[arg(long, default_value_t = 64, value_parser = batch_size)]
    batch_size: u64,
}

// ANCHOR: arms
/// Learning rates of the MLP.
const RATES: [f64; 7] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
const MLPS: [(&str, &str); 3] = [("plain", "none"), ("weight", "weight"), ("batch", "batch")];
const RULES: [(&str, OptimizerKind, f64); 3] =
    [("SGD", OptimizerKind::Sgd, 0.1), ("decay", OptimizerKind::Decay(0.01), 0.1), ("Adam", OptimizerKind::Adam, 1e-3)];
const fn sweep(arm: &'static str) -> Sweep {
    Sweep { arm, learning_rates: &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0] }
}
const CNNS: [(Sweep, &str); 5] = [
    (sweep("cnn plain"), "none"),
    (sweep("cnn weight"), "weight"),
    (sweep("cnn mean"), "mean"),
    (sweep("cnn weight and mean"), "weight:mean"),
    (sweep("cnn batch"), "batch"),
];
// ANCHOR_END: arms

impl Chapter for WeightNormalization {
    const ID: &'static str = "ch14";
    const TITLE: &'static str = "Weight normalization";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 1, 4).with_pilots(1),
            Scale::Book => Protocol::new(scale, 10, 400).with_pilots(2),
            Scale::Paper => Protocol::new(scale, 20, 20_000).with_pilots(2),
        }
    }

    /// Half the steps decide.
    fn pilots(&self, protocol: &Protocol) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let mut arms = Vec::new();
        for (sweep, norm) in CNNS {
            let norm = norm.parse()?;
            arms.extend(sweep.pilots(|rate| self.cnn(&data, norm, rate, (protocol.steps / 2).max(1))));
        }
        Ok(arms)
    }

    fn arms(&self, protocol: &Protocol, pilots: &Trials) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let mut arms = vec![Arm::exact("identities", WeightIdentities)];
        // `drawn`, the small batches and the short runs: for the page's questions.
        for (name, norm) in MLPS.into_iter().chain([("drawn", "weight:drawn")]) {
            for rate in RATES {
                arms.push(Arm::seeded(of(name, rate), self.mlp(&data, norm.parse()?, rate, protocol.steps)));
            }
        }
        let mut small = self.mlp(&data, "weight".parse()?, 0.3, protocol.steps);
        small.batch_size = 16;
        arms.push(Arm::seeded("weight in 16s", small));
        for (name, norm) in [MLPS[1], MLPS[2]] {
            let short = self.mlp(&data, norm.parse()?, 0.3, (protocol.steps / 4).max(1));
            arms.push(Arm::seeded(format!("{name}, short"), short));
        }
        for (name, rule, rate) in RULES {
            let training = Classifier { rule, ..self.mlp(&data, "weight".parse()?, rate, protocol.steps) };
            arms.push(Arm::seeded(name, DirectionGrowth { training }));
        }
        for (sweep, norm) in CNNS {
            let rate = sweep.best(pilots, protocol.scale)?;
            let training = self.cnn(&data, norm.parse()?, rate, protocol.steps);
            arms.push(Arm::seeded(sweep.arm, TrainEval { training, parts: None }));
        }
        Ok(arms)
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl WeightNormalization {
    fn mlp(&self, data: &Dataset, norm: NormKind, learning_rate: f64, steps: u64) -> Classifier {
        self.net(data, Architecture::Mlp(vec![100; 2]), norm, learning_rate, steps)
    }

    fn cnn(&self, data: &Dataset, norm: NormKind, learning_rate: f64, steps: u64) -> Classifier {
        self.net(data, Architecture::Convolutional(&SMALL_CNN), norm, learning_rate, steps)
    }

    fn net(&self, data: &Dataset, architecture: Architecture, norm: NormKind, rate: f64, steps: u64) -> Classifier {
        let training = Classifier::sgd(data, architecture, norm, rate, self.batch_size as usize, steps);
        Classifier { target_accuracy: 0.7, ..training }
    }
}

/// An arm's name.
fn of(norm: &str, rate: f64) -> String {
    format!("{norm} at {rate}")
}

normbook::chapter!(WeightNormalization);
