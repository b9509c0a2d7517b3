//! What a layer is made with: activation, normalization, their order, dropout, and where weights begin.

use crate::norm::NormKind;
use candle_core::{Device, Result, Tensor};
use normbook_lab::seed::Stream;
use normbook_ops::activation::{relu, sigmoid};
use serde::{Deserialize, Serialize};

/// A layer's nonlinearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Nothing: the net stays linear.
    Identity,
    Relu,
    Sigmoid,
    Tanh,
}

impl Activation {
    pub fn apply(self, input: &Tensor) -> Result<Tensor> {
        match self {
            Self::Identity => Ok(input.clone()),
            Self::Relu => relu(input),
            Self::Sigmoid => sigmoid(input),
            Self::Tanh => input.tanh(),
        }
    }
}

/// Where the normalization stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Between the linear map and the activation, as in the paper.
    NormFirst,
    /// Behind the activation.
    ActivationFirst,
}

/// How initial weights are distributed: normal with mean 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Variance 2 / (a + b) for a values that flow into a unit and b out of it (Glorot & Bengio 2010, eq. 12).
    Glorot,
    /// A standard deviation for all.
    Deviation(f64),
}

impl Weights {
    /// Of a layer's weights.
    pub fn deviation(self, into: usize, out_of: usize) -> f64 {
        match self {
            Self::Glorot => (2.0 / (into + out_of) as f64).sqrt(),
            Self::Deviation(deviation) => deviation,
        }
    }
}

/// Where a net's weights begin.
pub struct Init<'a> {
    pub weights: Weights,
    /// What they are drawn from, layer by layer.
    pub stream: &'a mut Stream,
    pub device: &'a Device,
}

/// What a layer does after its linear map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BlockConfig {
    pub norm: NormKind,
    pub activation: Activation,
    pub order: Order,
    /// Chance of a value to be dropped in training (Srivastava et al. 2014); the others grow by 1 / (1 − chance).
    pub dropout: f64,
}

impl BlockConfig {
    /// Nothing.
    pub const LINEAR: Self = Self::new(NormKind::None, Activation::Identity);

    /// A normalization, then an activation.
    pub const fn new(norm: NormKind, activation: Activation) -> Self {
        Self { norm, activation, order: Order::NormFirst, dropout: 0.0 }
    }
}
