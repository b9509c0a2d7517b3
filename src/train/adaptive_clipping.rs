//! Adaptive gradient clipping (Brock, De, Smith & Simonyan 2021, arXiv:2102.06171, §4), for nets without normalization.
//!
//! For each unit i of a layer's weight W, with gradient G:
//! G_i ← λ ‖W_i‖* / ‖G_i‖ G_i  if ‖G_i‖ / ‖W_i‖* > λ, else G_i                  eq. 3
//! ‖W_i‖* = max(‖W_i‖, ε),  ε = 10⁻³
//!
//! As in the paper the last layer is not clipped, and as in the authors' code a vector (a bias) counts as one unit.

use crate::norm::per_channel::lengths_of_units;
use candle_core::{Result, Tensor, Var};

/// ε.
const SHORTEST: f64 = 1e-3;

/// What keeps the length of a gradient from 0, as in the authors' code.
const SHORTEST_GRADIENT: f64 = 1e-6;

/// The clipping at work on some parameters.
pub struct AdaptiveClipping {
    /// λ.
    clipping: f64,
    /// Where the last layer's parameters begin.
    last_layer: usize,
}

impl AdaptiveClipping {
    /// `parameters` layer by layer, each layer's weight first.
    pub fn new(clipping: f64, parameters: &[Var]) -> Self {
        let last_layer = parameters.iter().rposition(|parameter| parameter.rank() >= 2).unwrap_or(0);
        Self { clipping, last_layer }
    }

    /// The clipped gradient of the parameter at `index`, `[O, ..]`.
    pub fn clip(&self, index: usize, weight: &Tensor, gradient: Tensor) -> Result<Tensor> {
        if index >= self.last_layer {
            return Ok(gradient);
        }
        let allowed = (lengths(&weight.detach())?.clamp(SHORTEST, f64::INFINITY)? * self.clipping)?;
        let factor = (allowed / lengths(&gradient)?.clamp(SHORTEST_GRADIENT, f64::INFINITY)?)?.clamp(0.0, 1.0)?;
        gradient.broadcast_mul(&factor)
    }
}

/// ‖·‖ of each unit, `[O, 1, ..]`; of a vector `[1]`.
fn lengths(tensor: &Tensor) -> Result<Tensor> {
    let shape: Vec<usize> =
        (0..tensor.rank()).map(|axis| if axis == 0 && tensor.rank() > 1 { tensor.dims()[0] } else { 1 }).collect();
    let lengths =
        if tensor.rank() > 1 { lengths_of_units(tensor) } else { lengths_of_units(&tensor.reshape((1, ()))?) };
    lengths?.reshape(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn variable(rows: &[[f64; 2]; 3]) -> Var {
        Var::from_tensor(&Tensor::new(rows, &Device::Cpu).unwrap()).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f64> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Units of length 5, 0 and 2 with gradients of length 10, 1 and 0.1; λ = 0.1.
    #[test]
    fn each_unit_is_clipped_by_its_own_length() {
        let weight = variable(&[[3.0, 4.0], [0.0, 0.0], [2.0, 0.0]]);
        let gradient = Tensor::new(&[[6.0, -8.0], [1.0, 0.0], [0.1, 0.0]], &Device::Cpu).unwrap();
        let bias = Var::from_tensor(&Tensor::new(&[3.0, 4.0], &Device::Cpu).unwrap()).unwrap();
        let clipping = AdaptiveClipping::new(0.1, &[weight.clone(), bias.clone(), weight.clone(), bias.clone()]);
        let clip =
            |index, weight: &Var, gradient: &Tensor| values(&clipping.clip(index, weight, gradient.clone()).unwrap());
        for (found, expected) in clip(0, &weight, &gradient).iter().zip([0.3, -0.4, 1e-4, 0.0, 0.1, 0.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        let of_bias = Tensor::new(&[0.0, 2.0], &Device::Cpu).unwrap();
        assert_eq!(clip(1, &bias, &of_bias), [0.0, 0.5]);
        assert_eq!(clip(2, &weight, &gradient), values(&gradient));
        assert_eq!(clip(3, &bias, &of_bias), [0.0, 2.0]);
    }

    #[test]
    fn a_filter_is_a_unit_and_no_gradient_stays_none() {
        let filters = Var::ones((2, 3, 2, 2), DType::F64, &Device::Cpu).unwrap();
        let clipping = AdaptiveClipping::new(0.5, &[filters.clone(), filters.clone()]);
        let clip = |gradient: Tensor| values(&clipping.clip(0, &filters, gradient).unwrap());
        let tens = (filters.as_detached_tensor() * 10.0).unwrap();
        assert!(clip(tens).iter().all(|value| (value - 0.5).abs() < 1e-12));
        assert!(clip(filters.zeros_like().unwrap()).iter().all(|value| *value == 0.0));
    }
}
