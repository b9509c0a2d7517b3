//! The nets, rates and probes that chapters 6 to 9 share (Santurkar et al. 2018, arXiv:1805.11604, appendix A), so that
//! an arm of one chapter is the same trial in another.
//!
//! The paper trains a VGG-like net on CIFAR-10 by SGD at rates 0.1 and 0.5, batch 128, without augmentation, Glorot's
//! weights, and a deep linear net at 10⁻⁶ and 10⁻⁷. Here stand ReLU MLPs of width 100 and a small CNN on Fashion-MNIST
//! in the place of the first; the second is as in the paper. The CNN takes batches of 64, for speed. On CIFAR-10 it is
//! VGG-A with batches of 128, and so is the MLP of as many hidden layers as VGG-A has. What the paper leaves open: its
//! depth ("VGG-like"; its figures name layers up to 13), where a norm stands in it (here before the activation),
//! momentum (here none), and how images are prepared (here standardised over all pixels and channels).

use super::probe_schedule::Probes;
use super::probed_training::ProbedTraining;
use super::subject::Subject;
use crate::data::dataset::Dataset;
use crate::net::convolutional::Stage::{self, Convolution, Pool};
use crate::net::convolutional::{channels, of_images};
use crate::norm::{NormKind, UnitShape};
use crate::train::classifier::{Architecture, Classifier};
use crate::train::deep_linear::DeepLinear;
use candle_core::{Error, Result};

/// The learning rate of MLPs and CNN: the paper's.
pub const RATE: f64 = 0.1;
/// The learning rates of the CNN: those of the paper's Fig. 3, and one between.
pub const CNN_RATES: [f64; 3] = [0.01, 0.03, 0.1];
/// Those of the deep linear net: those of the paper's Fig. 3, and one below.
pub const LINEAR_RATES: [f64; 3] = [1e-8, 1e-7, 1e-6];
/// The CNN: that of VGG-A's order, an eighth as wide and without its first and last stage, then a linear layer.
pub const CNN: [Stage; 8] =
    [Convolution(8), Pool, Convolution(16), Convolution(16), Pool, Convolution(32), Convolution(32), Pool];

/// Examples of its batches.
pub const CNN_BATCH: usize = 64;

/// Units of the deep linear net's layers.
const WIDTH: usize = 10;

/// Errors where a norm, by the flag `--norm`, cannot stand in the deep linear net or in the CNN for these images.
pub fn fits(norm: NormKind, data: &Dataset) -> Result<()> {
    let of_net = |error| Error::msg(format!("{error} (in the deep linear net)"));
    norm.fits(&[WIDTH], UnitShape::Value).map_err(of_net)?;
    norm.fits(&channels(of_images(data.shape()).unwrap_or(&CNN)), UnitShape::Map)
}

// ANCHOR: nets
/// A ReLU MLP with so many hidden layers of 100 units, or the convolutional net for these images if it has as many.
pub fn deep(data: &Dataset, depth: usize, norm: NormKind, steps: u64) -> ProbedTraining {
    let architecture = match of_images(data.shape()) {
        Some(stages) if channels(stages).len() == depth => Architecture::Convolutional(stages),
        _ => Architecture::Mlp(vec![100; depth]),
    };
    let training = Classifier::sgd(data, architecture, norm, RATE, 128, steps);
    let training = Classifier { curve_examples: 1000, ..training };
    let histogram_layers = vec![2, depth - 1];
    ProbedTraining {
        subject: Subject::Classifier(training),
        probes: Probes { looks: 20, examples: 512, histogram_layers, ..Probes::default() },
    }
}

/// The convolutional net for these images: the small CNN, and for those of CIFAR-10's size VGG-A.
pub fn cnn(data: &Dataset, norm: NormKind, learning_rate: f64, steps: u64) -> ProbedTraining {
    let (stages, batch_size) = of_images(data.shape()).map_or((&CNN[..], CNN_BATCH), |stages| (stages, 128));
    let training = Classifier::sgd(data, Architecture::Convolutional(stages), norm, learning_rate, batch_size, steps);
    let training = Classifier { curve_examples: 200, ..training };
    let probes = Probes {
        looks: 15,
        examples: 256,
        shift_layers: vec![3, 5, 6],
        multiples: vec![0.5, 1.0, 2.0, 3.0, 4.0],
        levels: vec![1.5, 1.0, 0.8, 0.7, 0.6],
        level_interval: 10,
        histogram_layers: vec![4],
    };
    ProbedTraining { subject: Subject::Classifier(training), probes }
}

/// The deep linear net of 25 layers of 10 × 10 on 1,000 examples.
pub fn deep_linear(norm: NormKind, learning_rate: f64, steps: u64) -> ProbedTraining {
    let training =
        DeepLinear { layers: 25, width: WIDTH, examples: 1000, norm, learning_rate, steps, target_loss: 1e4 };
    let probes = Probes {
        looks: 30,
        examples: 1000,
        shift_layers: vec![2, 9, 17, 25],
        multiples: vec![0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0],
        levels: vec![3e4, 2e4, 1e4, 5e3, 2e3],
        level_interval: 10,
        histogram_layers: vec![1, 11, 24],
    };
    ProbedTraining { subject: Subject::DeepLinear(training), probes }
}
// ANCHOR_END: nets
