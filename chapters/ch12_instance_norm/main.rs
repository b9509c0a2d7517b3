//! # Chapter 12: instance normalization
//!
//! - Claim: the result "should not, in general, depend on the contrast of the content image". Normalizing each channel
//!   of each image, at test time too, ensures that. (Ulyanov, Vedaldi & Lempitsky 2016, arXiv:1607.08022; Hung-yi Lee
//!   2021, "To learn more".)
//! - Protocol: the invariance in f64, and its limits: ε, zero padding, maps of one pixel; a CNN of two convolutions (8
//!   and 16 channels) on Fashion-MNIST, batch 64, SGD, rate 0.1, with instance normalization, BatchNorm, group
//!   normalization (G = 4) and none, tested at contrasts from 1/4 to 4; the same networks where the contrast *is* the
//!   class, ten of them. Styles swapped by statistics of features (Huang & Belongie 2017, arXiv:1703.06868, eq. 8) of
//!   the network without normalization, four pairs of test images.
//! - Measure: accuracy lost relative to contrast 1; test accuracy. The swapped styles are a picture and are not judged.
//! - Holds if: see `claims.rs`. Floors are those of the plan; no run was made before.
//! - Differs: the paper's evidence is pictures of a generator that stylizes; it has no table. Our network classifies.
//!   Huang & Belongie train a decoder; we descend on pixels.

mod claims;
mod contrast;
mod contrast_identity;
mod style_swap;
#[cfg(test)]
mod tests;

use anyhow::Result;
use contrast::Contrast;
use contrast_identity::ContrastIdentity;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::convolutional::Stage::{self, Convolution, Pool};
use normbook::net::convolutional::channels;
use normbook::norm::{NormKind, UnitShape};
use normbook::train::classifier::{Architecture, Classifier};
use normbook_lab::cli::parse::positive;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials};
use style_swap::StyleSwap;

/// Instance normalization: what an image's contrast says
#[derive(clap::Args, serde::Serialize, Clone)]
struct InstanceNormalization {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate of all networks
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// The normalization that is set against BatchNorm
    #[arg(long, default_value_t = NormKind::Instance)]
    norm: NormKind,
}

// ANCHOR: arms
const CNN: [Stage; 4] = [Convolution(8), Pool, Convolution(16), Pool];
const CONTRASTS: [f64; 7] = [0.25, 0.35, 0.5, 1.0, 2.0, 2.8, 4.0];
/// Contrasts at which claims are judged.
const JUDGED: [f64; 4] = [0.25, 0.5, 2.0, 4.0];
/// Content and style: ankle boot and sandal, T-shirt and bag, trousers and shirt, bag and pullover.
const PAIRS: [[u32; 2]; 4] = [[9, 5], [0, 8], [1, 6], [8, 2]];
// ANCHOR_END: arms

impl Chapter for InstanceNormalization {
    const ID: &'static str = "ch12";
    const TITLE: &'static str = "Instance normalization";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 1, 2),
            Scale::Book => Protocol::new(scale, 10, 300),
            Scale::Paper => Protocol::new(scale, 20, 10_000),
        }
    }

    fn arms(&self, protocol: &Protocol, _: &Trials) -> Result<Vec<Arm>> {
        self.norm.fits(&channels(&CNN), UnitShape::Map)?;
        let data = self.images.labelled(protocol.scale)?;
        let contrasts = data.clone().with_contrast_as_class();
        let net = |data: &Dataset, norm| Contrast {
            training: self.cnn(data, norm, protocol.steps),
            contrasts: CONTRASTS.to_vec(),
        };
        let mut arms = vec![Arm::exact("identity", ContrastIdentity)];
        let norms = [
            ("none", NormKind::None),
            ("batch", NormKind::BATCH),
            ("group", NormKind::Group(4)),
            ("instance", self.norm),
        ];
        for (name, norm) in norms {
            arms.push(Arm::seeded(name, net(&data, norm)));
            arms.push(Arm::seeded(of_contrast(name), self.cnn(&contrasts, norm, protocol.steps)));
        }
        // For the page's questions.
        for (name, norm) in [("layer", NormKind::Layer), ("frn", NormKind::Frn)] {
            arms.push(Arm::seeded(name, net(&data, norm)));
        }
        for (name, norm) in [("batch", NormKind::BATCH), ("instance", self.norm)] {
            let mut long = net(&data, norm);
            long.training.steps *= 3;
            arms.push(Arm::seeded(format!("{name}, long"), long));
        }
        // Without normalization: a layer before the features would have removed much of what is to be swapped.
        for (name, steps) in [("style swap", protocol.steps), ("style swap, untrained", 1)] {
            let training = self.cnn(&data, NormKind::None, steps);
            let swap = StyleSwap { training, layer: 1, pairs: PAIRS.to_vec(), descent_steps: 200, pixel_rate: 0.05 };
            arms.push(Arm::exact(name, swap));
        }
        Ok(arms)
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl InstanceNormalization {
    // ANCHOR: net
    fn cnn(&self, data: &Dataset, norm: NormKind, steps: u64) -> Classifier {
        Classifier::sgd(data, Architecture::Convolutional(&CNN), norm, self.learning_rate, 64, steps)
    }
    // ANCHOR_END: net
}

/// The name of an arm whose classes are contrasts.
fn of_contrast(norm: &str) -> String {
    format!("{norm}, contrast is the class")
}

normbook::chapter!(InstanceNormalization);
