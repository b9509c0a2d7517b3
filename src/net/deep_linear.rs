//! The deep linear network of Santurkar et al. 2018 (arXiv:1805.11604, appendix A): W_1 … W_k x, square, without
//! biases.
//!
//! The paper does not say where BatchNorm stands in it nor whether γ and β are trained. Here it stands behind every
//! layer but the last, whose outputs are the predictions, and both are trained. A weight normalization that begins
//! where its first batch says sets biases there, once.

use super::{
    Net, Watch,
    layer::{Activation, BlockConfig, Init, Layer},
    mlp::Mlp,
};
use crate::norm::{NormKind, Pass};
use candle_core::{Result, Tensor, Var};

/// The net: an MLP without activations whose biases stay at 0.
pub struct DeepLinearNet(Mlp);

impl DeepLinearNet {
    /// `layers` weights of `width` × `width`.
    pub fn new(layers: usize, width: usize, norm: NormKind, init: Init) -> Result<Self> {
        Ok(Self(Mlp::new(&vec![width; layers + 1], BlockConfig::new(norm, Activation::Identity), init)?))
    }
}

impl Net for DeepLinearNet {
    fn forward(&self, inputs: &Tensor, pass: Pass) -> Result<Tensor> {
        self.0.forward(inputs, pass)
    }

    fn forward_watched(&self, inputs: &Tensor, pass: Pass, watch: Watch) -> Result<Tensor> {
        self.0.forward_watched(inputs, pass, watch)
    }

    fn layers(&self) -> Vec<&Layer> {
        self.0.layers()
    }

    /// Without the biases.
    fn parameters(&self) -> Vec<Var> {
        let is_bias = |layer: &Layer, parameter: &Var| parameter.id() == layer.bias().id();
        let of_layer =
            |layer: &Layer| layer.parameters().into_iter().filter(|one| !is_bias(layer, one)).collect::<Vec<_>>();
        self.layers().into_iter().flat_map(of_layer).collect()
    }
}
