//! A2. Batch normalization by hand, forward and backward, without autograd: Ioffe & Szegedy 2015 (arXiv:1502.03167).
//!
//! A batch `x` of N examples with D features is one slice of N · D values, row by row: feature j of example i is at
//! `i * D + j`. D is the length of γ, and N is `x.len() / D`.
//!
//! - `statistics`: mean and variance of each feature.
//! - `forward`: training, running statistics, evaluation.
//! - `backward`: the gradients.
//! - `images`: all of it for images `[N, C, H, W]`, with a mean and a variance for each channel.

mod backward;
mod forward;
mod images;
mod statistics;

pub use statistics::{mean_and_variance, mean_and_variance_f32};

/// A batch normalization of D features (of C channels, for images). Every vector has D entries.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm {
    /// γ.
    pub gamma: Vec<f64>,
    /// β.
    pub beta: Vec<f64>,
    /// ε.
    pub epsilon: f64,
    /// How much a new batch counts in the running statistics: PyTorch's convention.
    pub momentum: f64,
    pub running_mean: Vec<f64>,
    pub running_variance: Vec<f64>,
}

/// What the forward pass keeps for the backward pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    /// x̂, row by row as x: `[N, D]`. Of images: with a row for each example and place, `[N · H · W, C]`, or in another
    /// order that suits your backward pass.
    pub normalized: Vec<f64>,
    /// √(σ² + ε), `[D]`.
    pub root: Vec<f64>,
}

/// The gradients of the loss ℓ.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// ∂ℓ/∂x, in the order of x.
    pub x: Vec<f64>,
    /// ∂ℓ/∂γ, `[D]`.
    pub gamma: Vec<f64>,
    /// ∂ℓ/∂β, `[D]`.
    pub beta: Vec<f64>,
}

/// The shape of a batch of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// N, the number of images.
    pub n: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl BatchNorm {
    /// As PyTorch's layer begins.
    pub fn new(features: usize) -> Self {
        Self {
            gamma: vec![1.0; features],
            beta: vec![0.0; features],
            epsilon: 1e-5,
            momentum: 0.1,
            running_mean: vec![0.0; features],
            running_variance: vec![1.0; features],
        }
    }
}
