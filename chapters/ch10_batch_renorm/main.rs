//! # Chapter 10: batch renormalization
//!
//! - Claim: where batches are small or not drawn independently, BatchNorm gives other outputs in training than in
//!   testing, and the test accuracy suffers; "Batch Renormalization" removes most of the difference: "training and
//!   inference models generate the same outputs". (Ioffe 2017, arXiv:1702.03275, §3, §4.2, §4.3; Hung-yi Lee 2021, "To
//!   learn more".)
//! - Protocol: a ReLU MLP 784-100-100-100-10 on Fashion-MNIST, SGD, rate 0.1, batch 64, with BatchNorm and with batch
//!   renorm. The batch goes through the network whole; in microbatches of 4 and of 2, each normalized by itself, their
//!   gradients averaged; in microbatches of 16 from two classes, eight images each; and, as a control, in microbatches
//!   of any 16. r_max rises to 3 and d_max to 5 over the first half of the steps, in the paper's proportions.
//! - Measure: test accuracy in evaluation; the gap: the accuracy on test images that go through the network as in
//!   training minus that in evaluation, and the distance between the logits of the two.
//! - Holds if: see `claims.rs`. Floors are those of the plan; architecture, rate and ramp were not tried on any seed
//!   before.
//! - BatchNorm's moving averages take a tenth of each microbatch, batch renorm's a hundredth: the usual settings of
//!   each. The arms "closed", BatchNorm with batch renorm's averages, show which part of a gain is due to that.
//! - Differs: the paper trains Inception-v3 on ImageNet with 50 workers, batches of 32 and microbatches of 4; its
//!   batches have 16 classes with two images each. Ours have two classes, because Fashion-MNIST has only ten.

mod claims;
mod renorm_identity;
#[cfg(test)]
mod tests;

use anyhow::Result;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::norm::{NormKind, renorm::Config};
use normbook::probe::train_eval::TrainEval;
use normbook::train::batches::Microbatches;
use normbook::train::classifier::{Architecture, Classifier};
use normbook_lab::cli::parse::{at_least, positive};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials};
use renorm_identity::RenormIdentity;

/// Batch renormalization: small batches, and batches of few classes
#[derive(clap::Args, serde::Serialize, Clone)]
struct BatchRenormalization {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate of all networks
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// What r_max rises to; 1 keeps BatchNorm's scale
    #[arg(long, default_value_t = 3.0, value_parser = at_least::<1>)]
    r_max: f64,
    /// What d_max rises to
    #[arg(long, default_value_t = 5.0, value_parser = at_least::<0>)]
    d_max: f64,
}

// ANCHOR: arms
const NORMS: [&str; 2] = ["batch", "renorm"];
const BATCH_SIZE: usize = 64;
/// How a batch goes through the network: whole, or in parts with a number of examples and, if given, of classes.
const PARTS: [(&str, Option<Microbatches>); 5] = [
    ("whole", None),
    ("in 4s", Some(Microbatches { size: 4, classes: None })),
    ("in 2s", Some(Microbatches { size: 2, classes: None })),
    ("in 16s", Some(Microbatches { size: 16, classes: None })),
    ("two classes", Some(Microbatches { size: 16, classes: Some(2) })),
];
// ANCHOR_END: arms

impl Chapter for BatchRenormalization {
    const ID: &'static str = "ch10";
    const TITLE: &'static str = "Batch renormalization";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 2, 10),
            Scale::Book => Protocol::new(scale, 10, 1_500),
            Scale::Paper => Protocol::new(scale, 20, 20_000),
        }
    }

    fn arms(&self, protocol: &Protocol, _: &Trials) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let limits = |r_max, d_max| Config { r_max, d_max, ramp_steps: protocol.steps / 2 };
        let at_once = |r_max, d_max| RenormIdentity { limits: Config { r_max, d_max, ramp_steps: 0 } };
        let net = |norm, parts| self.net(&data, norm, parts, protocol);
        let mut arms = vec![Arm::exact("closed", at_once(1.0, 0.0)), Arm::exact("open", at_once(1e6, 1e6))];
        let renorm = NormKind::Renorm(limits(self.r_max, self.d_max));
        for (name, parts) in PARTS {
            for (norm, kind) in NORMS.into_iter().zip([NormKind::BATCH, renorm]) {
                arms.push(Arm::seeded(of(norm, name), net(kind, parts)));
            }
        }
        // For the page's questions.
        for (name, parts) in [PARTS[1], PARTS[4]] {
            for (change, r_max, d_max) in [("narrow", 1.5, 0.5), ("closed", 1.0, 0.0)] {
                let norm = NormKind::Renorm(limits(r_max, d_max));
                arms.push(Arm::seeded(format!("renorm {name}, {change}"), net(norm, parts)));
            }
            for (norm, kind) in NORMS.into_iter().zip([NormKind::BATCH, renorm]) {
                let mut fast = net(kind, parts);
                fast.training.learning_rate *= 3.0;
                arms.push(Arm::seeded(format!("{}, fast", of(norm, name)), fast));
            }
            arms.push(Arm::seeded(format!("group {name}"), net(NormKind::Group(10), parts)));
        }
        Ok(arms)
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl BatchRenormalization {
    fn net(&self, data: &Dataset, norm: NormKind, parts: Option<Microbatches>, protocol: &Protocol) -> TrainEval {
        let (mlp, rate) = (Architecture::Mlp(vec![100; 3]), self.learning_rate);
        let training = Classifier::sgd(data, mlp, norm, rate, BATCH_SIZE, protocol.steps);
        TrainEval { training: Classifier { curve_examples: 1_000, ..training }, parts }
    }
}

/// An arm's name.
fn of(norm: &str, parts: &str) -> String {
    format!("{norm} {parts}")
}

normbook::chapter!(BatchRenormalization);
