//! # Chapter 2: normalizing inside the network
//!
//! - Claim: with z̃ = (z − μ)/σ one example's output is a function of every other in its batch, and the gradient must know
//!   it. (Hung-yi Lee 2021, slides "Considering Deep Learning" and "This is a large network!"; Ioffe & Szegedy 2015,
//!   arXiv:1502.03167, §2, §3 and §3.3.)
//! - Protocol: exact computations in f64; an MLP 784-100-100-100-10 on Fashion-MNIST by stochastic gradient descent.
//! - Measure: Jacobians across examples; spread of one example's logits over its batches; growth of the biases where
//!   statistics are held constant in the gradient; test accuracy with the norm before or after the activation, each at
//!   its best learning rate, chosen on pilot seeds 1000 to 1002, judged on 0 to 9.
//! - Holds if: see `judge`; the headline holds if each example's logits move with each other example, in f64.
//! - Differs: the paper states the identities and §2's failure without data; nets and numbers here are ours.

mod backward;
mod batch_spread;
mod conventions;
mod cross_example;
mod growth;
mod rescaling;

use anyhow::Result;
use backward::Backward;
use batch_spread::BatchSpread;
use conventions::{Conventions, Tracked};
use cross_example::{Between, CrossExample};
use growth::Growth;
use normbook::data::image_data::ImageData;
use normbook::net::layer::{
    Activation::{self, Relu, Sigmoid},
    BlockConfig,
    Order::{self, ActivationFirst, NormFirst},
    Weights,
};
use normbook::norm::NormKind;
use normbook::train::classifier::{Architecture, Classifier, TEST_ACCURACY};
use normbook::train::optimizer::OptimizerKind::Sgd;
use normbook_lab::cli::parse::{batch_size, factor, positive};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Sweep, Trials, at_least, within};
use rescaling::Rescaling;

/// Normalizing inside the network couples the examples of a batch
#[derive(clap::Args, serde::Serialize, Clone)]
struct InsideTheNetwork {
    #[command(flatten)]
    #[serde(flatten)]
    images: ImageData,
    /// Examples of a training batch
    #[arg(long, default_value_t = 60, value_parser = batch_size)]
    batch_size: u64,
    /// Learning rate of the nets whose statistics are held constant, and of those they are compared with
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    learning_rate: f64,
    /// What the weights before a normalization are multiplied by
    #[arg(long, default_value_t = 1000.0, value_parser = factor, allow_hyphen_values = true)]
    factor: f64,
}

// ANCHOR: arms
/// The norm before or after the activation.
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
        let mut arms = Vec::new();
        for (name, between) in
            [("no norm", Between::Nothing), ("batch norm", Between::Batch), ("layer norm", Between::Layer)]
        {
            arms.push(Arm::exact(format!("jacobian, {name}"), CrossExample { between, batch_size: 8 }));
        }
        let scales = [
            ("a small", 0.01, 0.0),
            ("a large", self.factor, 0.0),
            ("a negative", -1.0, 0.0),
            ("a small, with epsilon", 0.01, 1e-5),
        ];
        arms.extend(scales.map(|(name, scale, epsilon)| Arm::exact(name, Rescaling { scale, epsilon })));
        arms.extend(
            [2, 60].map(|batch_size| Arm::exact(format!("backward, batch {batch_size}"), Backward { batch_size })),
        );
        for (name, tracked, epsilon) in CONVENTIONS {
            arms.extend([2, 64].map(|batch_size| {
                Arm::exact(format!("{name}, batch {batch_size}"), Conventions { tracked, batch_size, epsilon })
            }));
        }
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

    // ANCHOR: judge
    fn judge(&self, trials: &Trials) -> Result<Vec<Claim>> {
        let (lecture, order) =
            ("Hung-yi Lee 2021, This is a large network!", "Hung-yi Lee 2021, Considering Deep Learning");
        let [section_2, section_3, section_33, section_34] =
            ["§2", "§3", "§3.3", "§3.4"].map(|section| format!("Ioffe & Szegedy 2015, {section}"));
        let covers = "initial weights, data order and, for logits, the company in a batch";
        let unbiased_over = |claim: Claim, tracked: &str, batch: u32| -> Result<Claim> {
            let variance = |tracked: &str| trials.value(&format!("{tracked}, batch {batch}"), "variance_over_true");
            Ok(claim.part(tracked, vec![variance("unbiased variance")? / variance(tracked)?]))
        };
        let variances = |claim: Claim, batch| {
            let claim = claim.measuring(
                "moving average of the unbiased variance over that of the biased one, and over that of σ, squared",
            );
            unbiased_over(unbiased_over(claim, "biased variance", batch)?, "deviation", batch)
        };
        let scale = ["output_difference", "weight_gradient_difference", "weight_cosine"];
        let backward = ["fused", "composed", "finite_differences"];
        let accuracy = |arm| (arm, TEST_ACCURACY);
        Ok(vec![
            Claim::exact("coupled", at_least(1e-3, 0.0))
                .headline()
                .says("Each example's output depends on every other of its batch", lecture)
                .measuring("smallest derivative of an example's logits by another's inputs, over the largest of all")
                .values(trials, "smallest_of_others", &["jacobian, batch norm"])?,
            Claim::exact("uncoupled", within(0.0, 1e-12))
                .says("Without a normalization over the batch it depends on none", lecture)
                .measuring("largest derivative of an example's logits by another's inputs, over the largest of all")
                .values(trials, "largest_of_others", &["jacobian, no norm", "jacobian, layer norm"])?,
            Claim::exact("scale", within(0.0, 1e-9))
                .says("For a > 0 BN((aW)u) = BN(Wu), ∂/∂(aW) = (1/a) ∂/∂W, and ⟨W, ∂/∂W⟩ = 0", &section_33)
                .measuring("largest difference over the largest value: outputs, gradients; cosine")
                .values_of(trials, &scale, &["a small", "a large"])?,
            Claim::exact("backward", within(0.0, 1e-9))
                .says("The paper's backward equations are what autograd and finite differences find", &section_3)
                .measuring("largest difference of the gradients of x, γ and β, over the largest gradient")
                .values_of(trials, &backward, &["backward, batch 2", "backward, batch 60"])?,
            Claim::exact("ones", within(0.0, 1e-9))
                .says(
                    "An upstream gradient of ones gives no gradient at all, so that a test with it says nothing",
                    "ours",
                )
                .measuring("largest input gradient for ones, over that for a random upstream gradient")
                .values(trials, "of_ones", &["backward, batch 60"])?,
            variances(
                Claim::exact("conventions-apart", at_least(1.5, 1.0))
                    .says("At batch 2 libraries keep quite different variances", "ours"),
                2,
            )?,
            variances(
                Claim::exact("conventions-agree", within(1.0, 0.05))
                    .says("At batch 64 libraries keep the same variances", "ours"),
                64,
            )?,
            Claim::ratio("spread", at_least(2.0, 1.0))
                .says("An example's logits vary with its batch, less in a larger one", &section_34)
                .measuring("deviation of a logit over batches of 8, over that over batches of 128")
                .covering(covers)
                .paired(
                    trials,
                    "training mode",
                    ("spread", "logit_deviation_at_8"),
                    ("spread", "logit_deviation_at_128"),
                )?,
            Claim::difference("held", at_least(1.0, 0.0))
                .says("With μ and σ held constant in the gradient, biases grow that have no effect", &section_2)
                .measuring("norm of the hidden biases at the end, statistics held minus gradients through them")
                .covering(covers)
                .paired(trials, "no γ and β", ("held", "final_bias_norm"), ("through", "final_bias_norm"))?,
            Claim::accuracy("held-accuracy", at_least(0.02, 0.0))
                .says("With μ and σ held constant in the gradient the net learns worse", &section_2)
                .measuring("test accuracy, gradients through the statistics minus statistics held")
                .covering(covers)
                .paired(trials, "no γ and β", accuracy("through"), accuracy("held"))?,
            Claim::accuracy("order", within(0.0, 0.01))
                .says("Before or after the activation makes little difference", order)
                .measuring("test accuracy, norm before minus norm after, each at its best learning rate")
                .covering(covers)
                .paired(trials, "sigmoid", accuracy("sigmoid, norm before"), accuracy("sigmoid, norm after"))?
                .paired(trials, "ReLU", accuracy("ReLU, norm before"), accuracy("ReLU, norm after"))?,
        ])
    }
    // ANCHOR_END: judge
}

const CONVENTIONS: [(&str, Tracked, f64); 4] = [
    ("unbiased variance", Tracked::UnbiasedVariance, 1e-5),
    ("biased variance", Tracked::BiasedVariance, 1e-3),
    ("deviation", Tracked::Deviation, 0.0),
    ("candle-nn", Tracked::CandleNn, 1e-5),
];

impl InsideTheNetwork {
    /// The net of the original paper's §4.1, with other layers.
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
