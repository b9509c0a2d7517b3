//! # Chapter 4: testing
//!
//! - Claim: at test time μ̄ ← p μ̄ + (1 − p) μᵗ stands in for the batch's mean. (Hung-yi Lee 2021, slide "Batch
//!   normalization: testing"; Ioffe & Szegedy 2015, Algorithm 2; Wu & Johnson 2021, §3.)
//! - Protocol: MLP 784-100-100-100-10 with BatchNorm before each sigmoid (the net of Ioffe & Szegedy, §4.1), SGD, on
//!   Fashion-MNIST; batch 60 at a low and a high learning rate, batches of 4 and 2 at the low one. One training serves all p.
//! - Measure: test accuracy after 1/100 of the steps (early), 1/10 (middle) and all (late) with each average, with the
//!   statistics of 3,000 training images (PreciseBN, Algorithm 2 with and without m/(m − 1)) and with the test batch's own.
//! - Holds if: see `judge`; the headline holds if from the middle on p = 0.9 is within 1 pp of the population's statistics.
//!   Net, rates and floors were chosen on pilot seeds 1000 to 1004, which tried ReLU and other rates too.
//! - Differs: Wu & Johnson train ResNet-50 on ImageNet at batches up to 8,192; Algorithm 2 does without moving averages.

mod alone;
mod moving_averages;
mod population;

use alone::Alone;
use anyhow::{Result, ensure};
use moving_averages::Testing as Trial;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::layer::{Activation, BlockConfig, Weights};
use normbook::norm::NormKind;
use normbook::train::classifier::{Architecture, Classifier};
use normbook::train::optimizer::OptimizerKind;
use normbook_lab::cli::parse::{batch_size, positive, whole};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials, at_least, within};

/// What stands in for the batch's statistics at test time
#[derive(clap::Args, serde::Serialize, Clone)]
struct Testing {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate of all nets but that of the arm "high rate"
    #[arg(long, default_value_t = 0.03, value_parser = positive)]
    learning_rate: f64,
    /// Examples of a batch, where no arm sets its own
    #[arg(long, default_value_t = 60, value_parser = batch_size)]
    batch_size: u64,
    /// Training images that the population's statistics are taken over
    #[arg(long, default_value_t = 3_000, value_parser = whole::<2, 60_000>)]
    population_images: u64,
}

/// The high learning rate.
const HIGH: f64 = 10.0;

impl Chapter for Testing {
    const ID: &'static str = "ch04";
    const TITLE: &'static str = "Testing";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 2, 50).with_pilots(1),
            Scale::Book => Protocol::new(scale, 10, 2_000).with_pilots(3),
            Scale::Paper => Protocol::new(scale, 30, 20_000).with_pilots(3),
        }
    }

    // ANCHOR: arms
    fn arms(&self, protocol: &Protocol, _: &Trials) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let population = self.population(protocol);
        ensure!(
            self.batch_size as usize <= population,
            "--batch-size {}: the population statistics are taken over {population} images; give at most so many",
            self.batch_size
        );
        let net = |batch_size, rate| self.net(&data, batch_size, rate, protocol);
        let alone = |batch_size, epsilon| Alone { batch_size, widths: vec![784, 100, 100, 100, 10], epsilon };
        Ok(vec![
            Arm::exact("one example", alone(1, 1e-5)),
            Arm::exact("two examples", alone(2, 0.0)),
            Arm::seeded("low rate", net(self.batch_size, self.learning_rate)),
            Arm::seeded("high rate", net(self.batch_size, HIGH)),
            Arm::seeded("batch 4", net(4, self.learning_rate)),
            Arm::seeded("batch 2", net(2, self.learning_rate)),
        ])
    }
    // ANCHOR_END: arms

    // ANCHOR: judge
    fn judge(&self, trials: &Trials) -> Result<Vec<Claim>> {
        let gain = |arm: &str, better: &str, worse: &str, when: &str| -> Result<Vec<f64>> {
            let of = |name: &str| trials.samples(arm, &format!("accuracy, {name}, {when}"));
            Ok(of(better)?.iter().zip(of(worse)?).map(|(better, worse)| better - worse).collect())
        };
        let covers = |claim: Claim| Claim { fewest_seeds: 10, ..claim.covering("initial weights and data order") };
        let accuracy = |id, rule| covers(Claim::difference(id, rule)).measuring("difference of two test accuracies");
        let variance = |layer| trials.samples("batch 2", &format!("variance ratio, algorithm 2, layer {layer}"));
        let (low, high, all, first) = ("low rate", "high rate", "population", "p = 0.999 from the first batch");
        let (lecture, paper) = ("Hung-yi Lee 2021, Batch normalization: testing", "Ioffe & Szegedy 2015, Algorithm 2");
        Ok(vec![
            accuracy("average", within(0.0, 0.01))
                .says("Later on, the moving average with p = 0.9 does as well as the population's statistics", lecture)
                .headline()
                .part("middle, p = 0.9 − population", gain(low, "p = 0.9", all, "middle")?)
                .part("late, p = 0.9 − population", gain(low, "p = 0.9", all, "late")?),
            accuracy("lag", at_least(0.05, 0.0))
                .says("Early, and with a large p for longer, the moving average lags", lecture)
                .part("early, population − p = 0.9", gain(low, all, "p = 0.9", "early")?)
                .part("middle, population − p = 0.999", gain(low, all, "p = 0.999", "middle")?)
                .part(
                    "middle, high rate, population − p = 0.999 from the first batch",
                    gain(high, all, first, "middle")?,
                ),
            accuracy("start", at_least(0.05, 0.0))
                .says("At a low learning rate much of the lag is the start: mean 0 and variance 1", "ours")
                .part("middle, p = 0.999 from the first batch − p = 0.999", gain(low, first, "p = 0.999", "middle")?),
            accuracy("noise", at_least(0.02, 0.0))
                .says("Without a memory, at p = 0, the statistics of small batches are noisy", lecture)
                .part("batch 4, late, population − p = 0", gain("batch 4", all, "p = 0", "late")?),
            accuracy("high-rate", at_least(0.002, 0.0))
                .says(
                    "At a high learning rate the population's statistics beat the moving average",
                    "Wu & Johnson 2021, §3",
                )
                .part("late, population − p = 0.9", gain(high, all, "p = 0.9", "late")?)
                .part("late, population − p = 0.99", gain(high, all, "p = 0.99", "late")?),
            accuracy("own-batch", at_least(0.1, 0.0))
                .says("A test batch's own statistics do badly where it is small or one-sided", lecture)
                .part("late, population − batches of 2", gain(low, all, "batch of 2", "late")?)
                .part("late, population − batches of one class", gain(low, all, "batch of one class", "late")?),
            accuracy("factor", at_least(0.01, 0.0))
                .says("In small batches the factor m / (m − 1) helps", paper)
                .part("batch 2, late, with − without", gain("batch 2", "algorithm 2", "biased", "late")?)
                .part("batch 4, late, with − without", gain("batch 4", "algorithm 2", "biased", "late")?),
            covers(Claim::ratio("variance", within(1.0, 0.05)))
                .says("With the factor, Algorithm 2 gives the variance of the population in every layer", paper)
                .measuring("variance by Algorithm 2 over that of the population, mean over a layer, batch 2")
                .part("first layer", variance(1)?)
                .part("third layer", variance(3)?),
            Claim::exact("alone", within(0.0, 1e-9))
                .says("Normalized alone, an example gives an answer that does not depend on it", lecture)
                .measuring("largest difference between the outputs for 100 inputs, in parts of the largest output")
                .values(trials, "largest_difference", &["one example"])?,
            Claim::exact("two", within(0.0, 1e-9))
                .says("Of two examples only signs are left, and the second layer's mean is always the same", "ours")
                .measuring("largest distance of the first layer's |x̂| from 1; largest relative change of a mean")
                .part("first layer", vec![trials.value("two examples", "distance_from_one")?])
                .part("second layer", vec![trials.value("two examples", "change_of_second_mean")?]),
        ])
    }
    // ANCHOR_END: judge
}

impl Testing {
    /// Images that the population statistics are taken over.
    fn population(&self, protocol: &Protocol) -> usize {
        let most = if protocol.scale == Scale::Smoke { 240 } else { u64::MAX };
        self.population_images.min(most) as usize
    }

    fn net(&self, data: &Dataset, batch_size: u64, learning_rate: f64, protocol: &Protocol) -> Trial {
        let smoke = protocol.scale == Scale::Smoke;
        let judged_examples = if smoke { 500 } else { 10_000 };
        let population_examples = self.population(protocol);
        let (old_weights, from_first_batch) = (vec![0.0, 0.1, 0.7, 0.9, 0.97, 0.99, 0.997, 0.999], 0.999);
        let classifier = Classifier {
            data: data.clone(),
            architecture: Architecture::Mlp(vec![100; 3]),
            hidden: BlockConfig::new(NormKind::BATCH, Activation::Sigmoid),
            weights: Weights::Glorot,
            rule: OptimizerKind::Sgd,
            learning_rate,
            batch_size: batch_size as usize,
            steps: protocol.steps,
            target_accuracy: 0.8,
            curve_examples: judged_examples.min(2_000),
        };
        Trial { classifier, old_weights, from_first_batch, population_examples, judged_examples }
    }
}

normbook::chapter!(Testing);
