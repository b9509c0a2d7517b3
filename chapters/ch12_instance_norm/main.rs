//! # Chapter 12: instance normalization
//!
//! - Claim: the result "should not, in general, depend on the contrast of the content image"; a normalization of each channel of each image,
//!   kept at test time, sees to it. (Ulyanov, Vedaldi & Lempitsky 2016, arXiv:1607.08022; Hung-yi Lee 2021, "To learn more".)
//! - Protocol: the invariance in f64, and where it ends: ε, zero padding, maps of one pixel; a CNN of two convolutions (8 and 16
//!   channels) on Fashion-MNIST, batch 64, SGD, rate 0.1, with instance normalization, BatchNorm, group normalization (G = 4) and none,
//!   tested at contrasts from 1/4 to 4; the same nets where the contrast *is* the class, ten of them. Styles swapped by statistics
//!   of features (Huang & Belongie 2017, arXiv:1703.06868, eq. 8) of the net without norm, four pairs of test images.
//! - Measure: accuracy lost against contrast 1; test accuracy. Of the swapped styles nothing is judged: they are a picture.
//! - Holds if: see `judge`. Floors are those of the plan; no run was made before.
//! - Differs: the paper's evidence is pictures of a generator that stylizes; it has no table. Ours classifies. Huang & Belongie
//!   train a decoder; we descend on pixels.

mod contrast;
mod contrast_identity;
mod style_swap;

use anyhow::Result;
use contrast::{Contrast, lost_at};
use contrast_identity::ContrastIdentity;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::convolutional::Stage::{self, Convolution, Pool};
use normbook::net::convolutional::channels;
use normbook::norm::{NormKind, UnitShape};
use normbook::train::classifier::{Architecture, Classifier, TEST_ACCURACY};
use normbook_lab::cli::parse::positive;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials, at_least, within};
use style_swap::StyleSwap;

/// Instance normalization: what an image's contrast says
#[derive(clap::Args, serde::Serialize, Clone)]
struct InstanceNormalization {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate of all nets
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// The normalization that is set against BatchNorm
    #[arg(long, default_value_t = NormKind::Instance)]
    norm: NormKind,
}

// ANCHOR: arms
const CNN: [Stage; 4] = [Convolution(8), Pool, Convolution(16), Pool];
const CONTRASTS: [f64; 7] = [0.25, 0.35, 0.5, 1.0, 2.0, 2.8, 4.0];
/// Where claims are judged.
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
            arms.push(Arm::seeded(
                format!("{name}, contrast is the class"),
                self.cnn(&contrasts, norm, protocol.steps),
            ));
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
        // Without a norm: one in front of the features would have taken away much of what is to be swapped.
        for (name, steps) in [("style swap", protocol.steps), ("style swap, untrained", 1)] {
            let training = self.cnn(&data, NormKind::None, steps);
            let swap = StyleSwap { training, layer: 1, pairs: PAIRS.to_vec(), descent_steps: 200, pixel_rate: 0.05 };
            arms.push(Arm::exact(name, swap));
        }
        Ok(arms)
    }

    // ANCHOR: judge
    fn judge(&self, trials: &Trials) -> Result<Vec<Claim>> {
        let (paper, ours) = ("Ulyanov, Vedaldi & Lempitsky 2016, §2", "ours: what it means for a classifier");
        let mut keeps = Claim::accuracy("contrast", within(0.0, 0.01));
        for contrast in JUDGED {
            keeps = keeps.part(&format!("contrast {contrast}"), trials.samples("instance", &lost_at(contrast))?);
        }
        let mut loses = Claim::accuracy("batch-contrast", at_least(0.05, 0.0));
        for contrast in [JUDGED[0], JUDGED[3]] {
            loses = loses.part(&format!("contrast {contrast}"), trials.samples("batch", &lost_at(contrast))?);
        }
        let [batch, instance] = ["batch, contrast is the class", "instance, contrast is the class"];
        let claims = [
            keeps
                .headline()
                .says("A net with instance normalization does not notice the contrast of its images", paper)
                .measuring("test accuracy at contrast 1 less that at another"),
            loses.says("A net with BatchNorm does", ours).measuring("test accuracy at contrast 1 less that at another"),
            Claim::accuracy("blind", within(0.1, 0.02))
                .part("ten contrasts", trials.samples(instance, TEST_ACCURACY)?)
                .says("Where the contrast is the class, a net with instance normalization is left to guess", ours)
                .measuring("test accuracy (guessing: 0.1)"),
            Claim::accuracy("sees", at_least(0.3, 0.0))
                .paired(trials, "ten contrasts", (batch, TEST_ACCURACY), (instance, TEST_ACCURACY))?
                .says("… and one with BatchNorm is not", ours)
                .measuring("test accuracy, BatchNorm minus instance normalization"),
            Claim::accuracy("costs", at_least(0.01, 0.0))
                .paired(trials, "contrast 1", ("batch", TEST_ACCURACY), ("instance", TEST_ACCURACY))?
                .says("On unchanged images a classifier pays for it", "ours, after Wu & He 2018, Table 1")
                .measuring("test accuracy, BatchNorm minus instance normalization")
                .unconfirmed("there is no second implementation"),
        ];
        let mut claims: Vec<Claim> = claims.map(|claim| claim.covering("initial weights and data order")).into();
        let exact = |id: &str, rule, values: &[&str]| Claim::exact(id, rule).values_of(trials, values, &["identity"]);
        let measured = "largest change of an output, in parts of the largest";
        claims.extend([
            exact("identity", within(0.0, 1e-9), &["change", "scaled"])?
                .says("IN(a x + c) = IN(x) for a > 0, and behind a convolution IN(W (a x)) = IN(W x)", paper)
                .measuring(&format!("{measured}, ε = 0")),
            exact("ends", at_least(1e-2, 0.0), &["faint", "shifted"])?
                .says("ε ends it for faint images, and zero padding for brightness", "ours: where it ends")
                .measuring(measured),
            exact("one-pixel", within(0.0, 1e-9), &["one_pixel"])?
                .says("Of maps of one pixel nothing is left", "ours: where not to use it")
                .measuring("largest output, β = 0"),
        ]);
        Ok(claims)
    }
    // ANCHOR_END: judge
}

impl InstanceNormalization {
    // ANCHOR: net
    fn cnn(&self, data: &Dataset, norm: NormKind, steps: u64) -> Classifier {
        Classifier::sgd(data, Architecture::Convolutional(&CNN), norm, self.learning_rate, 64, steps)
    }
    // ANCHOR_END: net
}

normbook::chapter!(InstanceNormalization);
