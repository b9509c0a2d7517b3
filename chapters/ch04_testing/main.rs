//! # Chapter 4: testing
//!
//! - Claim: at test time μ̄ ← p μ̄ + (1 − p) μᵗ replaces the batch's mean. (Hung-yi Lee 2021, slide "Batch
//!   normalization: testing"; Ioffe & Szegedy 2015, Algorithm 2; Wu & Johnson 2021, §3.)
//! - Protocol: MLP 784-100-100-100-10 with BatchNorm before each sigmoid (the network of Ioffe & Szegedy, §4.1), SGD,
//!   on Fashion-MNIST; batch 60 at a low and a high learning rate, batches of 4 and 2 at the low one. One training
//!   serves all p.
//! - Measure: test accuracy after 1/100 of the steps (early), 1/10 (middle) and all (late) with each average, with the
//!   statistics of 3,000 training images (PreciseBN, Algorithm 2 with and without m/(m − 1)) and with the test batch's
//!   own.
//! - Holds if: see `claims.rs`. The headline holds if from the middle on p = 0.9 is within 1 percentage point of the
//!   population's statistics. Network, rates and floors were chosen on pilot seeds 1000 to 1004, which tried ReLU and
//!   other rates too.
//! - Differs: Wu & Johnson train ResNet-50 on ImageNet at batches up to 8,192. Algorithm 2 uses no moving averages.

mod alone;
mod claims;
mod moving_averages;
mod population;
#[cfg(test)]
mod tests;

use alone::Alone;
use anyhow::{Result, ensure};
use moving_averages::Testing as MovingAverages;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::layer::{Activation, BlockConfig, Weights};
use normbook::norm::NormKind;
use normbook::train::classifier::{Architecture, Classifier};
use normbook::train::optimizer::OptimizerKind;
use normbook_lab::cli::parse::{batch_size, positive, whole};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials};

/// What replaces the batch's statistics at test time
#[derive(clap::Args, serde::Serialize, Clone)]
struct Testing {
    #[command(flatten)]
    images: ImageData,
    /// Learning rate of every arm but "high rate"
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
            "--batch-size {}: the population statistics are taken over {population} images; give at most that many",
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

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl Testing {
    /// Returns how many images the population statistics are taken over.
    fn population(&self, protocol: &Protocol) -> usize {
        let most = if protocol.scale == Scale::Smoke { 240 } else { u64::MAX };
        self.population_images.min(most) as usize
    }

    fn net(&self, data: &Dataset, batch_size: u64, learning_rate: f64, protocol: &Protocol) -> MovingAverages {
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
        MovingAverages { classifier, old_weights, from_first_batch, population_examples, judged_examples }
    }
}

normbook::chapter!(Testing);
