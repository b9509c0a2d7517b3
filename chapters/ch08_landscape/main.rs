//! # Chapter 8: the landscape
//!
//! - Claim: BatchNorm "makes the optimization landscape significantly smoother": along the gradient the loss varies
//!   less, the gradient changes less and is effectively more β-smooth. (Santurkar et al. 2018, arXiv:1805.11604, §3,
//!   Fig. 4 and 10; Hung-yi Lee 2021, "How does batch normalization help optimization?": it changes the landscape of
//!   the error surface.)
//! - Protocol: chapter 7's CNN (rates 0.01, 0.03, 0.1) and deep linear network (10⁻⁸, 10⁻⁷, 10⁻⁶), with and without
//!   BatchNorm. At 15 and 30 steps of the training we walk from the network along its gradient on the step's batch, and
//!   equally far along a random direction, by η′ from ½ to 4 times the learning rate (deep linear: 1/100 to 30 times),
//!   as in the paper.
//! - Measure, over each walk: the range of the loss; the largest ‖g′ − g‖; β, the largest ‖g′ − g‖ / ‖η′g‖; then the
//!   median over the training, ratio of plain to BatchNorm. Further: β where the loss first comes down to a level; β at
//!   one distance for all rates; and a plane through the trained network (Li et al. 2018).
//! - Holds if: see `claims.rs`. Floors were chosen after pilots on seeds 1000 and 1001 (3,000 steps) and before any
//!   other run.
//! - Differs: the CNN replaces the paper's VGG on CIFAR-10, and 3,000 steps its 10,000 (`--scale paper`). On CIFAR-10's
//!   images it is VGG-A in batches of 128, there for 10,000 steps of the paper's 15,000. `probe::santurkar` says what
//!   the paper leaves open.

mod claims;
mod slice;
#[cfg(test)]
mod tests;

use anyhow::Result;
use normbook::data::image_data::ImageData;
use normbook::norm::NormKind;
use normbook::probe::santurkar::{CNN_RATES, LINEAR_RATES, RATE, cnn, deep_linear, fits};
use normbook::probe::subject::Subject;
use normbook_lab::cli::parse::up_to;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials};
use slice::Slice;

/// The landscape along the gradient, and a picture of it, with and without BatchNorm
#[derive(clap::Args, serde::Serialize, Clone)]
struct Landscape {
    #[command(flatten)]
    images: ImageData,
    /// The normalization that is compared with none, such as batch, lp:1 or group:2
    #[arg(long, default_value_t = NormKind::BATCH)]
    norm: NormKind,
    /// How far the picture goes to each side, in lengths of the network's filters
    #[arg(long, default_value_t = 1.0, value_parser = up_to::<100>)]
    reach: f64,
}

// ANCHOR: arms
const NETS: [&str; 2] = ["plain", "batch"];
/// η′ of the comparison at one distance for all rates; each rate's walk passes it.
const DISTANCE: f64 = 1e-7;
/// Where effective β is compared at the same loss: rates, and levels that both networks reach.
const SAME_LOSS: [(&str, &[f64], [f64; 2]); 2] = [("cnn", &CNN_RATES, [1.5, 1.0]), ("linear", &[1e-6], [3e4, 2e4])];
/// The rates of the plateau; the lowest is left out, as networks barely train at it.
const TRAINING_RATES: [f64; 2] = [1e-7, 1e-6];
// ANCHOR_END: arms

impl Chapter for Landscape {
    const ID: &'static str = "ch08";
    const TITLE: &'static str = "The landscape";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 2, 10),
            Scale::Book => Protocol::new(scale, 8, 3_000),
            Scale::Paper => Protocol::new(scale, 10, 10_000),
        }
    }

    fn arms(&self, protocol: &Protocol, _: &Trials) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        fits(self.norm, &data)?;
        let cnn_steps = protocol.fewer_steps();
        let mut arms = Vec::new();
        for (name, norm) in NETS.into_iter().zip([NormKind::None, self.norm]) {
            for rate in LINEAR_RATES {
                arms.push(Arm::seeded(of("linear", name, rate), deep_linear(norm, rate, protocol.steps)));
            }
            for rate in CNN_RATES {
                arms.push(Arm::seeded(of("cnn", name, rate), cnn(&data, norm, rate, cnn_steps)));
            }
            if let Subject::Classifier(training) = cnn(&data, norm, RATE, cnn_steps).subject {
                let points = if protocol.scale == Scale::Smoke { 2 } else { 12 };
                let plane = |reach| Slice { training: training.clone(), examples: 256, reach, points };
                arms.push(Arm::seeded(format!("plane {name}"), plane(self.reach)));
                // For the page's questions.
                arms.push(Arm::seeded(format!("plane {name}, near"), plane(0.25)));
            }
        }
        Ok(arms)
    }

    /// Keeps the first seed's plane, and walks by distance of the deep linear network.
    fn record_filter(arm: &str, seed: Option<u64>, name: &str) -> bool {
        let walked = ["loss_low", "loss_high", "loss_range", "change_high", "beta", "level_beta"];
        let shown = name.strip_prefix("gradient_").is_some_and(|name| walked.contains(&name));
        let by_distance = name == "gradient_beta_by_distance" && arm.starts_with("linear");
        let plane = arm.starts_with("plane") && !arm.contains(',') && seed == Some(0);
        name == "train_loss" || shown || name == "random_beta" || by_distance || plane
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

/// An arm's name.
fn of(net: &str, norm: &str, rate: f64) -> String {
    format!("{net} {norm} {rate:e}")
}

normbook::chapter!(Landscape);
