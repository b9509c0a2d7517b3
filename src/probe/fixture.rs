//! What the probes' tests train.

use crate::data::{fashion_mnist::Files, labelled::Labelled};
use crate::net::layer::{Activation, Hidden, Weights};
use crate::norm::Kind;
use crate::train::{
    classifier::{Architecture, Classifier},
    optimizer::Rule,
};

/// A small net for a few steps.
pub fn classifier(norm: Kind) -> Classifier {
    Classifier {
        data: Labelled::new(&Files::embedded()).unwrap(),
        architecture: Architecture::Mlp(vec![12]),
        hidden: Hidden::new(norm, Activation::Relu),
        weights: Weights::Glorot,
        rule: Rule::Sgd,
        learning_rate: 0.1,
        batch_size: 20,
        steps: 10,
        target_accuracy: 0.5,
        curve_examples: 100,
    }
}
