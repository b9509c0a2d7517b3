//! A multilayer perceptron: a_l = φ(norm(W_l a_{l−1} + b_l)), output = W_L a_{L−1} + b_L. Without an activation it is a
//! deep linear network.

use super::{
    Net,
    layer::{Activation, Hidden, Layer},
};
use crate::norm::{Kind, Mode};
use crate::seed::Stream;
use candle_core::{Device, Result, Tensor, Var, bail};

/// The net.
pub struct Mlp {
    layers: Vec<Layer>,
}

impl Mlp {
    /// `widths` are the inputs, the hidden layers and the outputs; `hidden` follows each hidden layer's linear map. Draws
    /// the weights from `init`, layer by layer.
    pub fn new(widths: &[usize], hidden: Hidden, init: &mut Stream, device: &Device) -> Result<Self> {
        let output = Hidden { norm: Kind::None, activation: Activation::Identity };
        let Some(last) = widths.len().checked_sub(2) else { bail!("a net has inputs and outputs; widths {widths:?}") };
        let layer = |(depth, pair): (usize, &[usize])| {
            Layer::linear(pair[0], pair[1], if depth < last { hidden } else { output }, init, device)
        };
        Ok(Self { layers: widths.windows(2).enumerate().map(layer).collect::<Result<_>>()? })
    }
}

impl Net for Mlp {
    /// `[N, inputs] -> [N, outputs]`.
    fn forward(&self, inputs: &Tensor, mode: Mode) -> Result<Tensor> {
        self.layers.iter().try_fold(inputs.clone(), |activations, layer| layer.forward(&activations, mode))
    }

    fn parameters(&self) -> Vec<Var> {
        self.layers.iter().flat_map(Layer::parameters).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Purpose, Seed};

    fn net(seed: u64) -> Mlp {
        let hidden = Hidden { norm: Kind::None, activation: Activation::Relu };
        Mlp::new(&[3, 4, 2], hidden, &mut Seed(seed).stream(Purpose::Init, 0), &Device::Cpu).unwrap()
    }

    fn flat(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// The definition, recomputed with plain loops.
    #[test]
    fn the_logits_are_those_of_the_definition() {
        let net = net(0);
        let input = [0.5f32, -1.0, 2.0];
        let tensors: Vec<Vec<f32>> = net.parameters().iter().map(|var| flat(var)).collect();
        let affine = |weight: &[f32], bias: &[f32], input: &[f32]| -> Vec<f32> {
            let row = |(row, bias): (&[f32], &f32)| row.iter().zip(input).map(|(w, x)| w * x).sum::<f32>() + bias;
            weight.chunks(input.len()).zip(bias).map(row).collect()
        };
        let hidden: Vec<f32> = affine(&tensors[0], &tensors[1], &input).iter().map(|z| z.max(0.0)).collect();
        let expected = affine(&tensors[2], &tensors[3], &hidden);
        let logits =
            flat(&net.forward(&Tensor::from_slice(&input, (1, 3), &Device::Cpu).unwrap(), Mode::Train).unwrap());
        for (logit, expected) in logits.iter().zip(&expected) {
            assert!((logit - expected).abs() < 1e-6, "{logits:?} {expected:?}");
        }
    }

    #[test]
    fn the_seed_decides_the_weights_and_every_parameter_has_a_gradient() {
        let weights = |net: &Mlp| flat(&net.parameters()[0]);
        assert_eq!(weights(&net(1)), weights(&net(1)));
        assert_ne!(weights(&net(1)), weights(&net(2)));
        let net = net(1);
        let loss =
            net.forward(&Tensor::ones((5, 3), candle_core::DType::F32, &Device::Cpu).unwrap(), Mode::Train).unwrap();
        let gradients = loss.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        for parameter in net.parameters() {
            let gradient = flat(gradients.get(&parameter).unwrap());
            assert!(gradient.iter().any(|value| *value != 0.0));
        }
    }
}
