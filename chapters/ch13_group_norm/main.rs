//! # Chapter 13: group normalization
//!
//! - Claim: "GN's computation is independent of batch sizes, and its accuracy is stable in a wide range of batch
//!   sizes", while BatchNorm's error grows as batches shrink; the best number of groups lies between one and the number
//!   of channels. (Wu & He 2018, arXiv:1803.08494, abstract, §4.1, Fig. 5, Tables 2 and 3; Hung-yi Lee 2021, "To learn
//!   more".)
//! - Protocol: a CNN of three convolutions (8, 16, 32 channels) on Fashion-MNIST with BatchNorm and with group
//!   normalization, G = 4, in batches of 32, 8, 4 and 2; SGD, rate 0.1 · batch / 32, as in the paper. Each batch size
//!   sees the same number of examples and then, as a control, takes the same number of updates. At batch 32 also G = 1,
//!   2, 8 and the number of channels.
//! - Measure: test accuracy on all test images, after a fifth of the steps and at the end.
//! - Holds if: see `claims.rs`. Floors are those of the plan; no run was made before.
//! - Differs: the paper trains ResNet-50 on ImageNet for 100 epochs, G = 32, and counts BatchNorm's batches on each
//!   GPU. On CIFAR-10's images the network is VGG-A with G = 32, and an arm that a figure calls G = 4 then has 32. The
//!   paper has no CIFAR-10, so this network, its normalization between map and activation, 10,000 steps (6 epochs;
//!   `--steps 156250`: 100) and SGD without momentum or decay of rate and weights are ours.

mod claims;
mod group_ends;
#[cfg(test)]
mod tests;

use anyhow::Result;
use group_ends::GroupEnds;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::convolutional::{SMALL_CNN, Stage, channels, of_images};
use normbook::norm::{NormKind, UnitShape};
use normbook::probe::train_eval::TrainEval;
use normbook::train::classifier::{Architecture, Classifier};
use normbook_lab::cli::parse::positive;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials};
use serde::{Serialize, Serializer};

/// Group normalization: error against batch size and groups
#[derive(clap::Args, Serialize, Clone)]
struct GroupNormalization {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate at batch 32; smaller batches take it in proportion
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// The normalization that is set against BatchNorm [default: group:4; in VGG-A group:32]
    #[arg(long)]
    #[serde(serialize_with = "or_of_small_cnn")]
    norm: Option<NormKind>,
}

// ANCHOR: arms
const LARGEST: usize = 32;
const SMALLER: [usize; 3] = [8, 4, 2];
/// The network for the book's images, and the normalization that is set against BatchNorm there.
const SMALL: (&[Stage], NormKind) = (&SMALL_CNN, NormKind::Group(4));
/// Numbers of groups at batch 32.
const GROUPS: [(&str, &str); 4] =
    [("G = 1", "layer"), ("G = 2", "group:2"), ("G = 8", "group:8"), ("G = C", "instance")];
// ANCHOR_END: arms

impl Chapter for GroupNormalization {
    const ID: &'static str = "ch13";
    const TITLE: &'static str = "Group normalization";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    /// Steps at batch 32.
    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 1, 1),
            Scale::Book => Protocol::new(scale, 10, 400),
            Scale::Paper => Protocol::new(scale, 10, 10_000),
        }
    }

    fn arms(&self, protocol: &Protocol, _: &Trials) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let (stages, groups) = of_images(data.shape()).map_or(SMALL, |vgg| (vgg, NormKind::Group(32)));
        let group = self.norm.unwrap_or(groups);
        group.fits(&channels(stages), UnitShape::Map)?;
        let net = |norm, batch_size, steps| self.net(&data, stages, norm, batch_size, steps);
        let mut arms = vec![Arm::exact("ends", GroupEnds)];
        for (name, norm) in [("batch", NormKind::BATCH), ("group", group)] {
            arms.push(Arm::seeded(of(name, LARGEST), net(norm, LARGEST, protocol.steps)));
            for size in SMALLER {
                let as_many_examples = protocol.steps * (LARGEST / size) as u64;
                arms.push(Arm::seeded(of(name, size), net(norm, size, as_many_examples)));
                arms.push(Arm::seeded(format!("{}, as many updates", of(name, size)), net(norm, size, protocol.steps)));
            }
        }
        for (name, norm) in GROUPS {
            arms.push(Arm::seeded(name, net(norm.parse()?, LARGEST, protocol.steps)));
        }
        // For the page's questions.
        let at_2 = protocol.steps * 16;
        for (name, norm) in [("batch", NormKind::BATCH), ("group", group)] {
            let mut fast = net(norm, 2, at_2);
            fast.training.learning_rate *= 3.0;
            arms.push(Arm::seeded(format!("{name} 2, fast"), fast));
        }
        arms.push(Arm::seeded("instance 2", net(NormKind::Instance, 2, at_2)));
        let renorm = NormKind::Renorm(normbook::norm::renorm::Config { r_max: 1.5, d_max: 0.5, ramp_steps: 0 });
        arms.push(Arm::seeded("renorm 4", net(renorm, 4, protocol.steps * 8)));
        Ok(arms)
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl GroupNormalization {
    // ANCHOR: net
    fn net(
        &self,
        data: &Dataset,
        stages: &'static [Stage],
        norm: NormKind,
        batch_size: usize,
        steps: u64,
    ) -> TrainEval {
        let rate = self.learning_rate * batch_size as f64 / LARGEST as f64;
        let training = Classifier::sgd(data, Architecture::Convolutional(stages), norm, rate, batch_size, steps);
        TrainEval { training, parts: None }
    }
    // ANCHOR_END: net
}

/// Serializes the flag for the record: without it the small CNN's default, whatever the images. An arm's settings say
/// what it took.
fn or_of_small_cnn<S: Serializer>(norm: &Option<NormKind>, serializer: S) -> Result<S::Ok, S::Error> {
    norm.unwrap_or(SMALL.1).serialize(serializer)
}

/// An arm's name.
fn of(norm: &str, batch_size: usize) -> String {
    format!("{norm} {batch_size}")
}

normbook::chapter!(GroupNormalization);
