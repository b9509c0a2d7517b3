//! The net of Ioffe & Szegedy 2015 (arXiv:1502.03167), §4.1: three hidden layers of 100, batches of 60, plain SGD.

use super::classifier::{Architecture, Classifier};
use super::optimizer::OptimizerKind;
use crate::data::dataset::Dataset;
use crate::net::layer::{Activation, BlockConfig, Weights};
use crate::norm::NormKind;

/// The data and the steps that all its trainings share.
#[derive(Clone)]
pub struct PaperMlp {
    pub data: Dataset,
    pub steps: u64,
}

impl PaperMlp {
    /// With sigmoids, as there.
    pub fn sigmoid(&self, norm: NormKind, weights: Weights, learning_rate: f64) -> Classifier {
        Classifier {
            data: self.data.clone(),
            architecture: Architecture::Mlp(vec![100; 3]),
            hidden: BlockConfig::new(norm, Activation::Sigmoid),
            weights,
            rule: OptimizerKind::Sgd,
            learning_rate,
            batch_size: 60,
            steps: self.steps,
            target_accuracy: 0.8,
            curve_examples: 2_000,
        }
    }

    /// With ReLU and Glorot's weights.
    pub fn relu(&self, norm: NormKind, learning_rate: f64) -> Classifier {
        let hidden = BlockConfig::new(norm, Activation::Relu);
        Classifier { hidden, ..self.sigmoid(norm, Weights::Glorot, learning_rate) }
    }
}

/// The same for one of so many parts of the steps.
pub fn part(training: Classifier, of: u64) -> Classifier {
    Classifier { steps: training.steps.div_ceil(of), ..training }
}

/// The same with so many hidden layers.
pub fn layers(training: Classifier, hidden: usize) -> Classifier {
    Classifier { architecture: Architecture::Mlp(vec![100; hidden]), ..training }
}

/// The same with dropout behind each hidden layer.
pub fn dropping(training: Classifier, dropout: f64) -> Classifier {
    Classifier { hidden: BlockConfig { dropout, ..training.hidden }, ..training }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fashion_mnist::Files;

    #[test]
    fn each_change_changes_one_thing() {
        let net = PaperMlp { data: Dataset::new(&Files::embedded()).unwrap(), steps: 9 };
        let plain = net.relu(NormKind::None, 0.1);
        assert_eq!((plain.hidden.activation, plain.weights, plain.steps), (Activation::Relu, Weights::Glorot, 9));
        assert_eq!(part(plain.clone(), 4).steps, 3);
        assert!(matches!(layers(plain.clone(), 8).architecture, Architecture::Mlp(widths) if widths == [100; 8]));
        assert_eq!(
            dropping(plain, 0.3).hidden,
            BlockConfig { dropout: 0.3, ..BlockConfig::new(NormKind::None, Activation::Relu) }
        );
    }
}
