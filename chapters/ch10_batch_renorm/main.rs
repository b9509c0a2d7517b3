//! # Chapter 10: batch renormalization
//!
//! - Claim: where batches are small or not drawn independently, BatchNorm's answers in training and in testing differ and the
//!   test accuracy suffers; "Batch Renormalization" takes away most of the difference, "training and inference models generate
//!   the same outputs". (Ioffe 2017, arXiv:1702.03275, §3, §4.2, §4.3; Hung-yi Lee 2021, "To learn more".)
//! - Protocol: a ReLU MLP 784-100-100-100-10 on Fashion-MNIST, SGD, rate 0.1, batch 64, with BatchNorm and batch renorm: the
//!   batch whole, in microbatches of 4 and 2 that are normalized by themselves and whose gradients are averaged, in
//!   microbatches of 16 from two classes, eight images each, and, as a control, in any 16. r_max rises to 3 and d_max to 5 over the
//!   first half of the steps, in the paper's proportions.
//! - Measure: test accuracy in evaluation; the gap: the accuracy on test images that are sent through the net as in training, less that
//!   in evaluation, and how far the logits are apart.
//! - Holds if: see `judge`. Floors are those of the plan; net, rate and ramp were not tried on any seed before.
//! - BatchNorm's moving averages take a tenth of each microbatch, batch renorm's a hundredth: the usual settings of each; the arms "closed",
//!   BatchNorm with batch renorm's averages, tell what part of a gain that is.
//! - Differs: the paper trains Inception-v3 on ImageNet, 50 workers with batches of 32, microbatches of 4; there batches are of 16 classes,
//!   two images each; here of two classes, as there are only ten.

mod renorm_identity;

use anyhow::Result;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::norm::{NormKind, renorm::Config};
use normbook::probe::train_eval::{ACCURACY_EARLY, ACCURACY_GAP, LOGIT_GAP, TrainEval};
use normbook::train::batches::Microbatches;
use normbook::train::classifier::{Architecture, Classifier, TEST_ACCURACY};
use normbook_lab::cli::parse::{at_least as from, positive};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials, at_least, within};
use renorm_identity::RenormIdentity;

/// Batch renormalization: small batches, and batches of few classes
#[derive(clap::Args, serde::Serialize, Clone)]
struct BatchRenormalization {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate of all nets
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// What r_max rises to; 1 keeps BatchNorm's scale
    #[arg(long, default_value_t = 3.0, value_parser = from::<1>)]
    r_max: f64,
    /// What d_max rises to
    #[arg(long, default_value_t = 5.0, value_parser = from::<0>)]
    d_max: f64,
}

// ANCHOR: arms
const NORMS: [&str; 2] = ["batch", "renorm"];
const BATCH_SIZE: usize = 64;
/// How a batch goes through the net: whole, or in parts of so many examples, of so many classes.
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
        for (name, parts) in PARTS {
            let renorm = NormKind::Renorm(limits(self.r_max, self.d_max));
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
            for (norm, kind) in
                NORMS.into_iter().zip([NormKind::BATCH, NormKind::Renorm(limits(self.r_max, self.d_max))])
            {
                let mut fast = net(kind, parts);
                fast.training.learning_rate *= 3.0;
                arms.push(Arm::seeded(format!("{}, fast", of(norm, name)), fast));
            }
            arms.push(Arm::seeded(format!("group {name}"), net(NormKind::Group(10), parts)));
        }
        Ok(arms)
    }

    // ANCHOR: judge
    fn judge(&self, trials: &Trials) -> Result<Vec<Claim>> {
        let (small, classes, ours) = ("Ioffe 2017, §4.2", "Ioffe 2017, §4.3", "ours: a control");
        let gain = |id: &str, parts: &[&str]| -> Result<Claim> {
            let mut claim = Claim::accuracy(id, at_least(0.01, 0.0));
            for parts in parts {
                let [batch, renorm] = NORMS.map(|norm| of(norm, parts));
                claim = claim.paired(trials, parts, (&renorm, TEST_ACCURACY), (&batch, TEST_ACCURACY))?;
            }
            Ok(claim.measuring("test accuracy, batch renorm minus BatchNorm"))
        };
        let same = |id: &str, arm: &str, than: &str| -> Result<Claim> {
            let mut claim = Claim::accuracy(id, within(0.0, 0.01));
            for (when, value) in [("early", ACCURACY_EARLY), ("end", TEST_ACCURACY)] {
                claim = claim.paired(trials, when, (arm, value), (than, value))?;
            }
            Ok(claim)
        };
        let [batch, renorm] = NORMS.map(|norm| of(norm, "two classes"));
        let mut agree = Claim::ratio("agree", at_least(2.0, 1.0));
        for parts in ["in 4s", "two classes"] {
            let [batch, renorm] = NORMS.map(|norm| of(norm, parts));
            agree = agree.paired(trials, parts, (&batch, LOGIT_GAP), (&renorm, LOGIT_GAP))?;
        }
        let claims = [
            gain("classes", &["two classes"])?
                .headline()
                .says("Trained on batches of two classes, a net with batch renorm tests better", classes),
            Claim::accuracy("gap", at_least(0.05, 0.0))
                .part("two classes", trials.samples(&batch, ACCURACY_GAP)?)
                .says("BatchNorm uses the company that an example is in: the gap is large", classes)
                .measuring("accuracy as in training minus in evaluation, BatchNorm"),
            Claim::accuracy("closed", at_least(0.05, 0.0))
                .paired(trials, "two classes", (&batch, ACCURACY_GAP), (&renorm, ACCURACY_GAP))?
                .says("Batch renorm closes at least five points of it", classes)
                .measuring("gap of BatchNorm minus gap of batch renorm"),
            same("restored", &renorm, &of("batch", "in 16s"))?
                .says("With it, batches of two classes do no harm", classes)
                .measuring("test accuracy, batch renorm on two classes minus BatchNorm on any 16 images"),
            gain("small", &["in 4s", "in 2s"])?
                .says("Trained in microbatches of 4 and of 2, a net with batch renorm tests better", small),
            agree
                .says(
                    "At the end its outputs in training and in evaluation are at least twice as close",
                    "Ioffe 2017, §3",
                )
                .measuring("distance between the logits in training and in evaluation, BatchNorm over batch renorm"),
            same("whole", &of("renorm", "whole"), &of("batch", "whole"))?
                .says("On whole batches the two are the same", ours)
                .measuring("test accuracy, batch renorm minus BatchNorm"),
        ];
        let exact = |id: &str, arm: &str, value: &str| -> Result<Claim> {
            Claim::exact(id, within(0.0, 1e-9)).values(trials, value, &[arm])
        };
        let mut claims: Vec<Claim> =
            claims.map(|claim| claim.covering("initial weights and the order of the data")).into();
        claims.extend([
            exact("is-batch-norm", "closed", "batch_norm_output_difference")?
                .says("With r = 1 and d = 0 batch renorm is BatchNorm", "Ioffe 2017, §3")
                .measuring("largest difference of an output, in parts of the largest"),
            exact("same-gradient", "closed", "batch_norm_gradient_difference")?
                .says("… and so are its gradients", "Ioffe 2017, §3")
                .measuring("largest difference of a gradient by an input, in parts of the largest"),
            exact("is-inference", "open", "evaluation_difference")?
                .says("Without limits its output in training is its output in evaluation", "Ioffe 2017, §3")
                .measuring("largest difference of an output, in parts of the largest"),
        ]);
        Ok(claims)
    }
    // ANCHOR_END: judge
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
