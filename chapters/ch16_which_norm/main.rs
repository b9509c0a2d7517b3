//! # Chapter 16: which norm when?
//!
//! - Claim: on batches of 2 norms that look at one example alone are better than BatchNorm (Wu & He 2018, arXiv:1803.08494, abstract;
//!   Hung-yi Lee 2021, "To learn more"); on batches of 32 none is better by more than a point. What came after needs less: no
//!   mean (Zhang & Sennrich 2019, arXiv:1910.07467), no group of values (Zhu et al. 2025, arXiv:2503.10622), no norm (Brock et al.
//!   2021, arXiv:2102.06171).
//! - Protocol: all norms of the book on the same tasks on Fashion-MNIST, SGD. A ReLU MLP 784-100-100-10 at each rate of a grid, with
//!   batches of 32 and, on as many examples, of 2; a CNN (8, 16, 32 channels) with batches of 32 at one rate for all, with the
//!   probes of chapter 8. Norms of single maps (instance, filter response) have nothing to normalize in an MLP.
//! - Measure: the MLP's test accuracy at the best rate of the grid, seed by seed, and its mean over the grid (a diverged run is at
//!   chance); the CNN's test accuracy, effective β along the gradient, and how far its logits in evaluation are from those
//!   in training.
//! - Holds if: see `judge`. Floors were written before the one pilot, seed 1000. After it two rates were added to the grid of batches
//!   of 2, and spectral normalization was taken out of `gap`: its power iteration goes on in training.
//! - Differs: the papers train ResNets, transformers and recurrent nets, tune each arm's rate, and train until nothing more is gained.

use anyhow::Result;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::convolutional::{SMALL_CNN, channels};
use normbook::norm::{NormKind, UnitShape};
use normbook::probe::benchmark::{Benchmark, CLIPPED, NORMS};
use normbook::probe::rate_sweep::{BEST_ACCURACY, MEAN_ACCURACY};
use normbook::probe::train_eval::LOGIT_GAP;
use normbook::train::classifier::TEST_ACCURACY;
use normbook::train::optimizer::OptimizerKind;
use normbook_lab::cli::parse::positive;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials, at_least, within};

/// Which norm when?
#[derive(clap::Args, serde::Serialize, Clone)]
struct WhichNorm {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate of the CNN
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// One more row: a norm by name, your own for one; may be given several times
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

    // ANCHOR: judge
    fn judge(&self, trials: &Trials) -> Result<Vec<Claim>> {
        let abstract_of = |paper: &str| format!("{paper}, abstract");
        let of_images = |claim: Claim, one: &str, other: &str| {
            let at = format!("{one} − {other}, CNN");
            claim.paired(trials, &at, (&cnn(one), TEST_ACCURACY), (&cnn(other), TEST_ACCURACY))
        };
        let of_mlps = |claim: Claim, batch: usize, value: &str, ones: &[&str], other: &str| {
            let pair = |claim: Claim, one: &&str| {
                let at = format!("{one} − {other}, batches of {batch}");
                claim.paired(trials, &at, (&mlp(one, batch), value), (&mlp(other, batch), value))
            };
            ones.iter().try_fold(claim, pair)
        };
        let best = |claim, batch, ones: &[&str], other: &str| of_mlps(claim, batch, BEST_ACCURACY, ones, other);
        let mean =
            |id, ones: &[&str]| of_mlps(Claim::accuracy(id, at_least(0.02, 0.0)), 32, MEAN_ACCURACY, ones, "none");
        let same = |id: &str, one: &str, other: &str| -> Result<Claim> {
            let claim = of_images(Claim::accuracy(id, within(0.0, 0.01)), one, other)?;
            let claim = best(best(claim, 32, &[one], other)?, 2, &[one], other)?;
            Ok(claim.measuring("difference of test accuracies, the MLP's at the best rate of the grid"))
        };
        let gap = |id: &str, rule, norms: &[&str]| -> Result<Claim> {
            let mut claim = Claim::difference(id, rule);
            for norm in norms {
                claim = claim.part(norm, trials.samples(&cnn(norm), LOGIT_GAP)?);
            }
            Ok(claim.measuring("difference of the CNN's logits, root mean square, in parts of the logits"))
        };
        let others: Vec<&str> = NORMS[2..].iter().copied().chain(["none", CLIPPED.0]).collect();
        let alone = ["none", "layer", "instance", "group:4", "weight", "rms", "frn", "dyt", CLIPPED.0];
        let mut smoother = Claim::ratio("smoother", at_least(1.25, 1.0));
        for norm in ["batch", "layer", "instance", "group:4", "rms"] {
            smoother = smoother.paired(trials, norm, (&cnn("none"), BETA), (&cnn(norm), BETA))?;
        }
        let large = Claim::accuracy("large", at_least(-0.01, -0.01));
        let large = others.iter().try_fold(large, |claim, other| of_images(claim, "batch", other))?;
        let small = |id| Claim::accuracy(id, at_least(0.01, 0.0));
        let at_best = "test accuracy of the MLP on batches of 2 at the best rate of the grid";
        let claims = [
            best(small("small"), 2, &["layer", "group:4", "rms"], "batch")?
                .headline()
                .says(
                    "In an MLP on batches of 2 norms that look at one example are better than BatchNorm",
                    "Wu & He 2018, abstract",
                )
                .measuring(at_best),
            best(small("small-none"), 2, &["none"], "batch")?
                .says("In an MLP on batches of 2 even no norm is better than BatchNorm", "ours")
                .measuring(at_best),
            large
                .says(
                    "In a CNN on batches of 32 no norm of the book is better than BatchNorm by more than a point",
                    "ours",
                )
                .measuring("test accuracy of the CNN"),
            mean("rates", &["batch", "layer", "group:4", "rms"])?
                .says("With a norm of activations the MLP minds the learning rate less", "Ioffe & Szegedy 2015, §3.3")
                .measuring("mean test accuracy over the rates of the grid, with the norm minus without"),
            mean("rates-weights", &["weight", "spectral"])?
                .says("… and with a norm of weights", "Salimans & Kingma 2016, §2.1")
                .measuring("mean test accuracy over the rates of the grid, with the norm minus without"),
            smoother
                .says(
                    "With a norm of activations the CNN's loss is effectively smoother",
                    "Santurkar et al. 2018, §3.1, for BatchNorm",
                )
                .measuring("effective β along the gradient, median over the training, no norm over norm"),
            gap("gap", within(0.0, 0.0), &alone)?
                .says("Where no statistics of the batch are used, evaluation is training", "Wu & He 2018, §1"),
            gap("batch-gap", at_least(0.05, 0.0), &["batch", "renorm:1.5:0.5:0", "weight:mean"])?
                .says("Where they are used, it is not", "Wu & He 2018, §1"),
            same("rms", "rms", "layer")?.says(
                "RMSNorm, layer normalization without the mean, does as well as it",
                &abstract_of("Zhang & Sennrich 2019"),
            ),
            same("dyt", "dyt", "layer")?
                .says("Dynamic tanh takes the place of layer normalization", &abstract_of("Zhu et al. 2025")),
            same("clipped", CLIPPED.0, "batch")?.says(
                "With clipped gradients a net without a norm does as well as BatchNorm",
                &abstract_of("Brock et al. 2021"),
            ),
            of_images(Claim::accuracy("frn", at_least(0.002, 0.0)), "frn", "batch")?
                .says("Filter response normalization is better than BatchNorm", &abstract_of("Singh & Krishnan 2020"))
                .measuring("test accuracy of the CNN"),
        ];
        Ok(claims.map(|claim| claim.covering("initial weights and data order")).into())
    }
    // ANCHOR_END: judge
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

/// The arms of a row, by name.
fn cnn(row: &str) -> String {
    format!("{row}, CNN")
}

fn mlp(row: &str, batch: usize) -> String {
    format!("{row}, batches of {batch}")
}

normbook::chapter!(WhichNorm);
