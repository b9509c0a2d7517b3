//! # Chapter 2: normalizing inside the network
//!
//! - Claim: with z̃ = (z − μ)/σ an example's output is a function of every other example in its batch, and the gradient
//!   must account for it. (Hung-yi Lee 2021, slides "Considering Deep Learning" and "This is a large network!"; Ioffe &
//!   Szegedy 2015, arXiv:1502.03167, §2, §3 and §3.3.)
//! - Protocol: exact computations in f64; an MLP 784-100-100-100-10 on Fashion-MNIST by stochastic gradient descent.
//! - Measure: Jacobians across examples; spread of one example's logits over its batches; growth of the biases where
//!   statistics are held constant in the gradient; test accuracy with the normalization before or after the activation,
//!   each at its best learning rate, chosen on pilot seeds 1000 to 1002, judged on 0 to 9.
//! - Holds if: see `claims.rs`. The headline holds if each example's logits move with each other example, in f64.
//! - Differs: the paper states the identities and §2's failure without data. The networks and the numbers are ours.

mod arms;
mod backward;
mod batch_spread;
mod claims;
mod conventions;
mod cross_example;
mod growth;
mod rescaling;
#[cfg(test)]
mod tests;

use anyhow::Result;
use batch_spread::BatchSpread;
use growth::Growth;
use normbook::data::image_data::ImageData;
use normbook::net::layer::{
    Activation::{self, Relu, Sigmoid},
    BlockConfig,
    Order::{self, ActivationFirst, NormFirst},
    Weights,
};
use normbook::norm::NormKind;
use normbook::train::classifier::{Architecture, Classifier};
use normbook::train::optimizer::OptimizerKind::Sgd;
use normbook_lab::cli::parse::{batch_size, factor, positive};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Sweep, Trials};

/// Normalizing inside the network couples the examples of a batch
#[derive(clap::Args, serde::Serialize, Clone)]
struct InsideTheNetwork {
    #[command(flatten)]
    #[serde(flatten)]
    images: ImageData,
    /// Examples of a training batch
    #[arg(long, default_value_t = 60, value_parser = batch_size)]
    batch_size: u64,
    /// Learning rate of the networks whose statistics are held constant, and of those they are compared with
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// Factor that the weights before a normalization are multiplied by
    #[arg(long, default_value_t = 1000.0, value_parser = factor, allow_hyphen_values = true)]
    factor: f64,
}

// ANCHOR: arms
/// The normalization before or after the activation.
const ORDERS: [(Activation, Order, Sweep); 4] = [
    (Sigmoid, NormFirst, Sweep { arm: "sigmoid, norm before", learning_rates: RATES }),
    (Sigmoid, ActivationFirst, Sweep { arm: "sigmoid, norm after", learning_rates: RATES }),
    (Relu, NormFirst, Sweep { arm: "ReLU, norm before", learning_rates: RATES }),
    (Relu, ActivationFirst, Sweep { arm: "ReLU, norm after", learning_rates: RATES }),
];
const RATES: &[f64] = &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
// ANCHOR_END: arms

impl Chapter for InsideTheNetwork {
    const ID: &'static str = "ch02";
    const TITLE: &'static str = "Normalizing inside the network";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 2, 20).with_pilots(1),
            Scale::Book => Protocol::new(scale, 10, 1_000).with_pilots(3),
            Scale::Paper => Protocol::new(scale, 20, 20_000).with_pilots(5),
        }
    }

    fn pilots(&self, protocol: &Protocol) -> Result<Vec<Arm>> {
        let train = self.trainer(protocol)?;
        let net = |activation, order| BlockConfig { order, ..BlockConfig::new(NormKind::BATCH, activation) };
        let pilots = |(activation, order, sweep): (_, _, Sweep)| {
            sweep.pilots(|learning_rate| Classifier { learning_rate, ..train(net(activation, order)) })
        };
        Ok(ORDERS.into_iter().flat_map(pilots).collect())
    }

    fn arms(&self, protocol: &Protocol, pilots: &Trials) -> Result<Vec<Arm>> {
        let train = self.trainer(protocol)?;
        let mut arms = arms::exact(self.factor);
        let spread = |training| BatchSpread {
            training,
            batch_sizes: vec![2, 4, 8, 16, 32, 64, 128, 256],
            examples: 20,
            draws: 20,
        };
        let relu = || train(BlockConfig::new(NormKind::BATCH, Relu));
        arms.push(Arm::seeded("spread", spread(relu())));
        arms.push(Arm::seeded("spread, trained at 8", spread(Classifier { batch_size: 8, ..relu() })));
        for (name, kind) in [("through", "batch:plain"), ("held", "batch:plain:held")] {
            let training = train(BlockConfig::new(kind.parse()?, Relu));
            arms.push(Arm::seeded(name, Growth { training: training.clone() }));
            arms.push(Arm::seeded(
                format!("{name}, a tenth of the rate"),
                Growth { training: Classifier { learning_rate: self.learning_rate / 10.0, ..training } },
            ));
        }
        for (activation, order, sweep) in ORDERS {
            let learning_rate = sweep.best(pilots, protocol.scale)?;
            let net = train(BlockConfig { order, ..BlockConfig::new(NormKind::BATCH, activation) });
            arms.push(Arm::seeded(sweep.arm, Classifier { learning_rate, ..net }));
        }
        Ok(arms)
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl InsideTheNetwork {
    /// Returns a function that makes the training of the original paper's network (§4.1) from a hidden layer's
    /// settings.
    fn trainer(&self, protocol: &Protocol) -> Result<impl Fn(BlockConfig) -> Classifier> {
        let data = self.images.labelled(protocol.scale)?;
        let (learning_rate, batch_size) = (self.learning_rate, self.batch_size);
        Ok(move |hidden| Classifier {
            data: data.clone(),
            architecture: Architecture::Mlp(vec![100; 3]),
            hidden,
            weights: Weights::Glorot,
            rule: Sgd,
            learning_rate,
            batch_size: batch_size as usize,
            steps: protocol.steps,
            target_accuracy: 0.8,
            curve_examples: 2_000,
        })
    }
}

normbook::chapter!(InsideTheNetwork);
