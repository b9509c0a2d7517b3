//! A recurrent net that reads an image row by row, x_1 … x_T from top to bottom:
//!
//! h_t = φ(norm(W [x_t, h_{t−1}] + b)),  h_0 = 0
//! logits = V h_T + c
//!
//! With layer normalization this is Ba, Kiros & Hinton 2016 (arXiv:1607.06450), eq. 4: one set of gains and biases for all
//! steps of time, and statistics of each example and step alone. BatchNorm here takes a batch's statistics at each step of
//! time, but one moving average for all of them, moved at each: the last rows weigh most. It has no natural place.

use super::{
    Net, Watch,
    layer::{Hidden, Init, Layer},
};
use crate::norm::Pass;
use candle_core::{Result, Tensor};

/// The net.
pub struct Recurrent {
    /// `[N, columns + units] -> [N, units]`, the same for every row.
    cell: Layer,
    head: Layer,
    units: usize,
}

impl Recurrent {
    /// For images whose rows have so many columns.
    pub fn new(columns: usize, units: usize, classes: usize, hidden: Hidden, mut init: Init) -> Result<Self> {
        let cell = Layer::linear(columns + units, units, hidden, &mut init)?;
        Ok(Self { cell, head: Layer::linear(units, classes, Hidden::LINEAR, &mut init)?, units })
    }

    /// h_T, each step of time by `step`.
    fn read(&self, images: &Tensor, mut step: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let rows = images.squeeze(1)?;
        let start = Tensor::zeros((rows.dim(0)?, self.units), rows.dtype(), rows.device())?;
        (0..rows.dim(1)?).try_fold(start, |state, row| {
            let row = rows.narrow(1, row, 1)?.squeeze(1)?;
            step(&Tensor::cat(&[&row, &state], 1)?)
        })
    }
}

impl Net for Recurrent {
    /// `[N, 1, H, W] -> [N, classes]`.
    fn forward(&self, images: &Tensor, pass: Pass) -> Result<Tensor> {
        let state = self.read(images, |input| self.cell.forward(input, pass.of_layer(0)))?;
        self.head.forward(&state, pass.of_layer(1))
    }

    /// Layer 0 is seen once for each row.
    fn forward_watched(&self, images: &Tensor, pass: Pass, watch: Watch) -> Result<Tensor> {
        let state = self.read(images, |input| {
            self.cell.forward_watched(input, 1, pass.of_layer(0), |place, tensor| watch(0, place, tensor))
        })?;
        self.head.forward_watched(&state, 1, pass.of_layer(1), |place, tensor| watch(1, place, tensor))
    }

    fn layers(&self) -> Vec<&Layer> {
        vec![&self.cell, &self.head]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::layer::{Activation, Weights};
    use crate::norm::Kind;
    use crate::seed::{Purpose, Seed};
    use candle_core::{DType, Device};

    fn net(norm: &str) -> Recurrent {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        Recurrent::new(3, 4, 2, Hidden::new(norm.parse::<Kind>().unwrap(), Activation::Tanh), init).unwrap()
    }

    fn images() -> Tensor {
        Seed(1).stream(Purpose::Data, 0).normal_tensor((5, 1, 6, 3), 1.0, &Device::Cpu).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f64> {
        tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    /// The definition by loops, in f64, with the layer's normalization of each example.
    #[test]
    fn the_logits_are_those_of_the_definition() {
        for norm in ["none", "layer"] {
            let net = net(norm);
            let [weight, bias] = [values(net.cell.weight()), values(net.cell.bias())];
            let [head, constant] = [values(net.head.weight()), values(net.head.bias())];
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let mut expected = Vec::new();
            for image in values(&images()).chunks(18) {
                let mut state = vec![0.0; 4];
                for row in image.chunks(3) {
                    let input = [row, &state].concat();
                    let mut summed: Vec<f64> =
                        weight.chunks(7).zip(&bias).map(|(weights, bias)| dot(weights, &input) + bias).collect();
                    if norm == "layer" {
                        let mean = summed.iter().sum::<f64>() / 4.0;
                        let variance = summed.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / 4.0;
                        summed.iter_mut().for_each(|a| *a = (*a - mean) / (variance + 1e-5).sqrt());
                    }
                    state = summed.into_iter().map(libm::tanh).collect();
                }
                expected.extend(head.chunks(4).zip(&constant).map(|(weights, bias)| dot(weights, &state) + bias));
            }
            let found = values(&net.forward(&images(), Pass::TRAIN).unwrap());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-5, "{norm}: {found}, by loops {expected}");
            }
        }
    }

    #[test]
    fn watching_changes_nothing_and_every_parameter_has_a_gradient() {
        for norm in ["none", "batch", "layer", "rms"] {
            let (net, mut seen) = (net(norm), 0);
            let watched = net.forward_watched(&images(), Pass::PROBE, &mut |layer, _, _| {
                seen += usize::from(layer == 0);
                Ok(())
            });
            let plain = net.forward(&images(), Pass::PROBE).unwrap();
            assert_eq!((values(&watched.unwrap()), seen), (values(&plain), 6 * 3), "{norm}");
            let gradients = plain.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            assert!(net.parameters().iter().all(|parameter| gradients.get(parameter).is_some()), "{norm}");
        }
    }
}
