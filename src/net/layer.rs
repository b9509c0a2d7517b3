//! Layers with weights. Weights start normal with variance 2 / (a + b) for a values that flow into a unit and b out of it
//! (Glorot & Bengio 2010, eq. 12), biases at 0.

use crate::norm::{Kind, Mode, Norm};
use crate::ops::{activation::sigmoid, block::Source, conv2d::Windows, linear::linear, normalize::Then};
use crate::seed::Stream;
use candle_core::{DType, Device, Result, Tensor, Var};
use serde::{Deserialize, Serialize};

/// What follows a layer's normalization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Nothing: the net stays linear.
    Identity,
    Relu,
    Sigmoid,
}

/// A layer's linear map.
enum Map {
    /// Weight `[outputs, inputs]`.
    Linear,
    /// Weight `[outputs, inputs, kernel, kernel]`.
    Convolution(Windows),
}

/// A linear map with bias, a normalization (or none) and an activation.
pub struct Layer {
    map: Map,
    weight: Var,
    bias: Var,
    norm: Option<Box<dyn Norm>>,
    activation: Activation,
}

/// What a layer does after its linear map.
#[derive(Clone, Copy)]
pub struct Hidden {
    pub norm: Kind,
    pub activation: Activation,
}

impl Layer {
    /// `[N, inputs] -> [N, outputs]`. Draws the weights from `init`.
    pub fn linear(inputs: usize, outputs: usize, then: Hidden, init: &mut Stream, device: &Device) -> Result<Self> {
        let deviation = (2.0 / (inputs + outputs) as f64).sqrt();
        let weight = init.normal_tensor((outputs, inputs), deviation, device)?;
        Self::new(Map::Linear, weight, then)
    }

    /// `[N, inputs, H, W] -> [N, outputs, H, W]` with a kernel of odd side.
    pub fn convolution(
        inputs: usize,
        outputs: usize,
        kernel: usize,
        then: Hidden,
        init: &mut Stream,
        device: &Device,
    ) -> Result<Self> {
        let deviation = (2.0 / ((inputs + outputs) * kernel * kernel) as f64).sqrt();
        let weight = init.normal_tensor((outputs, inputs, kernel, kernel), deviation, device)?;
        Self::new(Map::Convolution(Windows { stride: 1, padding: kernel / 2 }), weight, then)
    }

    fn new(map: Map, weight: Tensor, then: Hidden) -> Result<Self> {
        let outputs = weight.dim(0)?;
        let bias = Var::zeros(outputs, DType::F32, weight.device())?;
        let norm = then.norm.build(outputs, weight.device())?;
        Ok(Self { map, weight: Var::from_tensor(&weight)?, bias, norm, activation: then.activation })
    }

    /// Map, normalization, activation.
    pub fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor> {
        self.forward_pooled(input, 1, mode)
    }

    /// Map, normalization, maximum of each `window` × `window` pixels, activation. Activations never fall, so that the
    /// maximum may be taken first: the same values and gradients, and fewer values to activate.
    pub fn forward_pooled(&self, input: &Tensor, window: usize, mode: Mode) -> Result<Tensor> {
        let then = Then { window, relu: self.activation == Activation::Relu };
        let (weight, bias) = (&self.weight, &self.bias);
        let mapped;
        let source = match self.map {
            Map::Linear => {
                mapped = linear(input, weight, bias)?;
                Source::Tensor(&mapped)
            }
            Map::Convolution(windows) => Source::Convolution { input, weight, bias, windows },
        };
        let normalized = match &self.norm {
            Some(norm) => norm.forward_then(source, mode, then)?,
            None => then.apply(&source.tensor()?)?,
        };
        match self.activation {
            Activation::Sigmoid => sigmoid(&normalized),
            Activation::Identity | Activation::Relu => Ok(normalized),
        }
    }

    /// Weight, bias, and γ, β if there is a normalization.
    pub fn parameters(&self) -> Vec<Var> {
        let of_norm = self.norm.iter().flat_map(|norm| norm.parameters());
        [self.weight.clone(), self.bias.clone()].into_iter().chain(of_norm).collect()
    }
}
