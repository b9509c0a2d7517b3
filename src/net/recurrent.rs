//! A recurrent net that reads an image row by row, x_1 … x_T from top to bottom:
//!
//! h_t = φ(norm(W [x_t, h_{t−1}] + b)),  h_0 = 0
//! logits = V h_T + c
//!
//! With layer normalization this is Ba, Kiros & Hinton 2016 (arXiv:1607.06450), eq. 4: one set of gains and biases for
//! all steps of time, and statistics of each example and step alone. BatchNorm here takes a batch's statistics at each
//! step of time, but one moving average for all of them, moved at each: the last rows weigh most. It has no natural
//! place.

use super::{
    Net, Watch,
    layer::{BlockConfig, Init, Layer},
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
    /// For images whose rows have so many values: columns, times channels.
    pub fn new(columns: usize, units: usize, classes: usize, hidden: BlockConfig, mut init: Init) -> Result<Self> {
        let cell = Layer::linear(columns + units, units, hidden, &mut init)?;
        Ok(Self { cell, head: Layer::linear(units, classes, BlockConfig::LINEAR, &mut init)?, units })
    }

    /// h_T, each step of time by `step`.
    fn read(&self, images: &Tensor, mut step: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let rows = images.transpose(1, 2)?.flatten_from(2)?;
        let start = Tensor::zeros((rows.dim(0)?, self.units), rows.dtype(), rows.device())?;
        (0..rows.dim(1)?).try_fold(start, |state, row| {
            let row = rows.narrow(1, row, 1)?.squeeze(1)?;
            step(&Tensor::cat(&[&row, &state], 1)?)
        })
    }
}

impl Net for Recurrent {
    /// `[N, C, H, W] -> [N, classes]`.
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
    use crate::norm::NormKind;
    use candle_core::{DType, Device};
    use normbook_lab::seed::{Purpose, Seed};

    fn net(norm: &str) -> Recurrent {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        Recurrent::new(3, 4, 2, BlockConfig::new(norm.parse::<NormKind>().unwrap(), Activation::Tanh), init).unwrap()
    }

    fn images() -> Tensor {
        Seed(1).stream(Purpose::Data, 0).normal_tensor((5, 1, 6, 3), 1.0, &Device::Cpu).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f64> {
        tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    /// With all biases and gains away from where they start.
    fn scattered(norm: &str) -> Recurrent {
        let (net, stream) = (net(norm), &mut Seed(2).stream(Purpose::Probe, 0));
        for parameter in net.parameters() {
            let by = stream.normal_tensor(parameter.dims(), 0.3, &Device::Cpu).unwrap();
            parameter.set(&(parameter.as_detached_tensor() + by).unwrap()).unwrap();
        }
        net
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn standardized(a: &[f64]) -> Vec<f64> {
        let mean = a.iter().sum::<f64>() / a.len() as f64;
        let variance = a.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / a.len() as f64;
        a.iter().map(|a| (a - mean) / (variance + 1e-5).sqrt()).collect()
    }

    fn transposed(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect()
    }

    /// The definition by loops, in f64; each row has statistics of its own, of each example or of each unit's batch.
    #[test]
    fn the_logits_are_those_of_the_definition() {
        for norm in ["none", "layer", "batch"] {
            let net = scattered(norm);
            let [weight, bias] = [values(net.cell.weight()), values(net.cell.bias())];
            let [head, constant] = [values(net.head.weight()), values(net.head.bias())];
            let of_norm: Vec<Vec<f64>> =
                net.cell.norm().map_or(vec![], |norm| norm.parameters().iter().map(|of| values(of)).collect());
            let mut states = vec![vec![0.0; 4]; 5];
            for row in 0..6 {
                let sum = |(image, state): (&[f64], &Vec<f64>)| -> Vec<f64> {
                    let input = [&image[3 * row..][..3], state].concat();
                    weight.chunks(7).zip(&bias).map(|(weights, bias)| dot(weights, &input) + bias).collect()
                };
                let mut summed: Vec<Vec<f64>> = values(&images()).chunks(18).zip(&states).map(sum).collect();
                match norm {
                    "layer" => summed = summed.iter().map(|a| standardized(a)).collect(),
                    "batch" => {
                        let columns: Vec<_> = transposed(&summed).iter().map(|a| standardized(a)).collect();
                        summed = transposed(&columns);
                    }
                    _ => {}
                }
                if let [gain, shift] = &of_norm[..] {
                    let affine =
                        |a: &mut Vec<f64>| (0..4).for_each(|unit| a[unit] = gain[unit] * a[unit] + shift[unit]);
                    summed.iter_mut().for_each(affine);
                }
                states = summed.into_iter().map(|a| a.into_iter().map(libm::tanh).collect()).collect();
            }
            let logits = |state: &Vec<f64>| -> Vec<f64> {
                head.chunks(4).zip(&constant).map(|(weights, bias)| dot(weights, state) + bias).collect()
            };
            let expected: Vec<f64> = states.iter().flat_map(logits).collect();
            let found = values(&net.forward(&images(), Pass::TRAIN).unwrap());
            assert_eq!((found.len(), of_norm.len()), (expected.len(), if norm == "none" { 0 } else { 2 }));
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
