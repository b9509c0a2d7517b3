//! The loss landscape along a direction, as Santurkar et al. 2018 measure it (arXiv:1805.11604, §3.1, Fig. 4): at a
//! point W with gradient g, walk to W − η′d for several η′ and look at the loss there and at the gradient g′ there.
//!
//! (a) loss: L(W − η′d);  (b) gradient predictiveness: ‖g′ − g‖₂;
//! (c) effective β-smoothness: ‖g′ − g‖ / ‖η′d‖, of which the paper shows the largest over η′.
//!
//! d is the gradient, over all parameters, or a random direction of the same length. To these we add the curvature seen
//! along the way, ⟨g − g′, d⟩ / (η′ ‖d‖²): where gradient descent with rate η hovers at the edge of stability it is
//! near 2/η. β counts how g turns sideways too, so that |curvature| ≤ β.

use super::objective::{Objective, Position, Slope, distance, dot, norm};
use candle_core::{DType, Result, Tensor};
use normbook_lab::seed::Stream;

/// What was seen, one entry for each η′. A number that is not finite counts as the largest of f32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walk {
    pub loss: Vec<f64>,
    /// ‖g′ − g‖.
    pub change: Vec<f64>,
    /// ‖g′ − g‖ / ‖η′d‖.
    pub beta: Vec<f64>,
    pub curvature: Vec<f64>,
}

// ANCHOR: walk
/// Walks from a point with the given slope along `direction` by each of `distances` (η′). The net is left as it was
/// found.
pub fn walk(objective: &Objective, slope: &Slope, direction: &[Tensor], distances: &[f64]) -> Result<Walk> {
    let position = Position::of(objective.net().parameters())?;
    let length = norm(direction)?;
    let mut walk = Walk::default();
    for distance_along in distances {
        position.step(direction, *distance_along)?;
        let there = objective.slope()?;
        let change = distance(&there.gradients, &slope.gradients)?;
        let less = dot(&slope.gradients, direction)? - dot(&there.gradients, direction)?;
        walk.loss.push(finite(there.loss));
        walk.change.push(finite(change));
        walk.beta.push(finite(change / (distance_along * length)));
        walk.curvature.push(finite(less / (distance_along * length * length)));
    }
    position.restore()?;
    Ok(walk)
}
// ANCHOR_END: walk

/// A direction of independent normal deviates over all parameters, as long as the gradient.
pub fn random_direction(slope: &Slope, stream: &mut Stream) -> Result<Vec<Tensor>> {
    let draw = |like: &Tensor| stream.normal_tensor(like.shape(), 1.0, like.device())?.to_dtype(like.dtype());
    let drawn: Vec<Tensor> = slope.gradients.iter().map(draw).collect::<Result<_>>()?;
    let factor = norm(&slope.gradients)? / norm(&drawn)?;
    drawn.iter().map(|tensor| tensor * factor).collect()
}

fn finite(value: f64) -> f64 {
    let largest = f64::from(f32::MAX);
    if value.is_nan() { largest } else { value.clamp(-largest, largest) }
}

/// Whether every parameter is a number.
pub fn is_finite(slope: &Slope) -> Result<bool> {
    let squares =
        slope.gradients.iter().map(|tensor| tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>());
    Ok(slope.loss.is_finite() && squares.sum::<Result<f64>>()?.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::{Split, Targets};
    use crate::net::{
        Net,
        layer::{BlockConfig, Init, Weights},
        mlp::Mlp,
    };
    use candle_core::Device;
    use normbook_lab::seed::{Purpose, Seed};

    /// ½ Σ (x w + b − y)² with inputs (±1, ±1): XᵀX = 4 I, and with the column of ones too, so that H = 4 I: β = 4 in
    /// every direction at every distance, and L(W − ηd) = L − η⟨g, d⟩ + 2 η² ‖d‖².
    #[test]
    fn a_quadratic_has_its_beta_everywhere() {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        let net = Mlp::new(&[2, 1], BlockConfig::LINEAR, init).unwrap();
        let inputs = Tensor::new(&[[1f32, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &Device::Cpu).unwrap();
        let targets = Tensor::new(&[[1f32], [2.0], [-3.0], [0.5]], &Device::Cpu).unwrap();
        let batch = Split { inputs, targets: Targets::Values(targets) };
        let objective = Objective::new(&net, &batch, 0, Seed(0));
        let slope = objective.slope().unwrap();
        assert!(is_finite(&slope).unwrap());
        let random = random_direction(&slope, &mut Seed(0).stream(Purpose::Probe, 0)).unwrap();
        assert!((norm(&random).unwrap() / norm(&slope.gradients).unwrap() - 1.0).abs() < 1e-5);
        let before: Vec<f32> = net.parameters()[0].flatten_all().unwrap().to_vec1().unwrap();
        for direction in [&slope.gradients, &random] {
            let distances = [0.01, 0.1, 1.0];
            let seen = walk(&objective, &slope, direction, &distances).unwrap();
            let (along, square) = (dot(&slope.gradients, direction).unwrap(), dot(direction, direction).unwrap());
            for (index, eta) in distances.into_iter().enumerate() {
                assert!(
                    (seen.beta[index] - 4.0).abs() < 1e-3 && (seen.curvature[index] - 4.0).abs() < 1e-3,
                    "{seen:?}"
                );
                assert!((seen.change[index] - 4.0 * eta * square.sqrt()).abs() < 1e-3);
                let expected = slope.loss - eta * along + 2.0 * eta * eta * square;
                assert!((seen.loss[index] / expected - 1.0).abs() < 1e-4, "{seen:?} {expected}");
            }
        }
        assert_eq!(net.parameters()[0].flatten_all().unwrap().to_vec1::<f32>().unwrap(), before);
    }

    #[test]
    fn what_overflows_counts_as_the_largest_number() {
        assert_eq!(finite(f64::INFINITY), f64::from(f32::MAX));
        assert_eq!(finite(f64::NAN), f64::from(f32::MAX));
        assert_eq!(finite(-2.0), -2.0);
    }
}
