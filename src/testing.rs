//! What the probes' tests train.

use crate::data::{dataset::Dataset, fashion_mnist::Files};
use crate::norm::NormKind;
use crate::train::classifier::{Architecture, Classifier};

/// A small net for a few steps.
pub fn classifier(norm: NormKind) -> Classifier {
    let (data, mlp) = (Dataset::new(&Files::embedded()).unwrap(), Architecture::Mlp(vec![12]));
    Classifier { target_accuracy: 0.5, curve_examples: 100, ..Classifier::sgd(&data, mlp, norm, 0.1, 20, 10) }
}
