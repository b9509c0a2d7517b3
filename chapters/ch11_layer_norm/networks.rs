//! The networks that chapter 11 trains.

use super::UNITS;
use normbook::data::dataset::Dataset;
use normbook::net::layer::{Activation, BlockConfig};
use normbook::norm::NormKind;
use normbook::train::classifier::{Architecture, Classifier};
use normbook_lab::Protocol;

// ANCHOR: mlp
/// An MLP with two hidden layers of ReLU.
pub fn mlp(data: &Dataset, norm: NormKind, batch_size: usize, learning_rate: f64, steps: u64) -> Classifier {
    let mlp = Architecture::Mlp(vec![UNITS; 2]);
    Classifier { curve_examples: 1_000, ..Classifier::sgd(data, mlp, norm, learning_rate, batch_size, steps) }
}
// ANCHOR_END: mlp

/// A recurrent network of tanh units that reads the images row by row, in batches of 64. It trains on the same number
/// of examples as the MLPs.
pub fn recurrent(data: &Dataset, norm: NormKind, units: usize, learning_rate: f64, protocol: &Protocol) -> Classifier {
    Classifier {
        architecture: Architecture::Recurrent(units),
        hidden: BlockConfig::new(norm, Activation::Tanh),
        target_accuracy: 0.6,
        ..mlp(data, norm, 64, learning_rate, (protocol.steps / 16).max(1))
    }
}
