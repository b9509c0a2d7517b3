//! A multilayer perceptron: a_l = φ(norm(W_l a_{l−1} + b_l)), output = W_L a_{L−1} + b_L. Without an activation it is a
//! deep linear network.

use super::{
    Net, Watch,
    layer::{BlockConfig, Init, Layer},
};
use crate::norm::Pass;
use candle_core::{Result, Tensor, bail};

/// The net.
pub struct Mlp {
    layers: Vec<Layer>,
}

impl Mlp {
    /// `widths` are the inputs, the hidden layers and the outputs; `hidden` follows each hidden layer's linear map.
    pub fn new(widths: &[usize], hidden: BlockConfig, mut init: Init) -> Result<Self> {
        let Some(last) = widths.len().checked_sub(2) else { bail!("a net has inputs and outputs; widths {widths:?}") };
        let layer = |(depth, pair): (usize, &[usize])| {
            Layer::linear(pair[0], pair[1], if depth < last { hidden } else { BlockConfig::LINEAR }, &mut init)
        };
        Ok(Self { layers: widths.windows(2).enumerate().map(layer).collect::<Result<_>>()? })
    }
}

impl Net for Mlp {
    /// `[N, ..] -> [N, outputs]`; an example's values in a row are its inputs.
    fn forward(&self, inputs: &Tensor, pass: Pass) -> Result<Tensor> {
        let mut layers = self.layers.iter().enumerate();
        layers.try_fold(inputs.flatten_from(1)?, |values, (index, layer)| layer.forward(&values, pass.of_layer(index)))
    }

    fn forward_watched(&self, inputs: &Tensor, pass: Pass, watch: Watch) -> Result<Tensor> {
        self.layers.iter().enumerate().try_fold(inputs.flatten_from(1)?, |values, (index, layer)| {
            layer.forward_watched(&values, 1, pass.of_layer(index), |place, tensor| watch(index, place, tensor))
        })
    }

    fn layers(&self) -> Vec<&Layer> {
        self.layers.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::layer::{Activation, Weights};
    use crate::norm::NormKind;
    use candle_core::Device;
    use normbook_lab::seed::{Purpose, Seed};

    fn net(seed: u64) -> Mlp {
        let stream = &mut Seed(seed).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        Mlp::new(&[3, 4, 2], BlockConfig::new(NormKind::None, Activation::Relu), init).unwrap()
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
            flat(&net.forward(&Tensor::from_slice(&input, (1, 3), &Device::Cpu).unwrap(), Pass::TRAIN).unwrap());
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
            net.forward(&Tensor::ones((5, 3), candle_core::DType::F32, &Device::Cpu).unwrap(), Pass::TRAIN).unwrap();
        let gradients = loss.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        for parameter in net.parameters() {
            let gradient = flat(gradients.get(&parameter).unwrap());
            assert!(gradient.iter().any(|value| *value != 0.0));
        }
    }
}
