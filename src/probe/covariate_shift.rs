//! Internal covariate shift as Santurkar et al. 2018 define it (arXiv:1805.11604, definition 2.1).
//!
//! G_{t,i}  = ∇_{W_i} L(W_1^t, …, W_k^t; x^t, y^t)
//! G′_{t,i} = ∇_{W_i} L(W_1^{t+1}, …, W_{i−1}^{t+1}, W_i^t, W_{i+1}^t, …, W_k^t; x^t, y^t)
//! The shift of layer i is ‖G − G′‖₂, and with it goes the angle between the two.
//!
//! W^{t+1} is where the step of gradient descent leads that the batch t asks for. Of the layers before i all parameters
//! move, γ, β and biases included; the gradient is that by the weights of layer i.

use super::objective::{Objective, Position, Slope, distance, dot, norm};
use candle_core::{Result, Tensor, Var, bail};

/// The shift of one layer at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// ‖G − G′‖₂.
    pub difference: f64,
    /// ‖G − G′‖₂ / ‖G‖₂; none where G is 0.
    pub relative: Option<f64>,
    /// ⟨G, G′⟩ / (‖G‖ ‖G′‖); none where one of them is 0.
    pub cosine: Option<f64>,
}

// ANCHOR: shift
/// The shift of each of `layers`, counted from 1 and rising, at a point whose slope is known. The net is left as it was
/// found.
pub fn covariate_shift(
    objective: &Objective,
    slope: &Slope,
    learning_rate: f64,
    layers: &[usize],
) -> Result<Vec<Shift>> {
    let parameters = objective.net().parameters();
    let position = Position::of(parameters.clone())?;
    let shifts = layers.iter().map(|layer| {
        let (earlier, weight) = before(objective, &parameters, *layer)?;
        position.step(&slope.gradients[..earlier], learning_rate)?; // layers 1 … i − 1 at t + 1
        let moved = objective.gradients()?;
        let moved = moved.get(&weight).cloned().map_or_else(|| weight.zeros_like(), Ok)?;
        compare(&slope.gradients[earlier], &moved)
    });
    let shifts = shifts.collect();
    position.restore()?;
    shifts
}
// ANCHOR_END: shift

/// How many parameters the layers before `layer` have, and its weight, which is the next.
fn before(objective: &Objective, parameters: &[Var], layer: usize) -> Result<(usize, Var)> {
    let layers = objective.net().layers();
    if !(1..=layers.len()).contains(&layer) {
        bail!("covariate shift: layer {layer} of a net with layers 1 to {}", layers.len());
    }
    let weight = layers[layer - 1].weight();
    match parameters.iter().position(|parameter| parameter.id() == weight.id()) {
        Some(earlier) => Ok((earlier, weight.clone())),
        None => bail!("covariate shift: the weight of layer {layer} is not trained"),
    }
}

fn compare(before: &Tensor, after: &Tensor) -> Result<Shift> {
    let (before, after) = (std::slice::from_ref(before), std::slice::from_ref(after));
    let (difference, lengths) = (distance(before, after)?, [norm(before)?, norm(after)?]);
    let ratio = |above: f64, below: f64| (below > 0.0).then_some(above / below);
    let cosine = ratio(dot(before, after)?, lengths[0] * lengths[1]);
    Ok(Shift { difference, relative: ratio(difference, lengths[0]), cosine })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::{Split, Targets};
    use crate::net::{
        Net,
        deep_linear::DeepLinearNet,
        layer::{Init, Weights},
    };
    use crate::norm::NormKind;
    use candle_core::Device;
    use normbook_lab::seed::{Purpose, Seed};

    /// Layers of one number each: L = ½ Σ (w₃ w₂ w₁ x − y)², ∂L/∂w_i by hand.
    #[test]
    fn the_shift_is_that_of_the_definition() {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let net =
            DeepLinearNet::new(3, 1, NormKind::None, Init { weights: Weights::Glorot, stream, device: &Device::Cpu });
        let net = net.unwrap();
        let w = [0.5f64, -1.5, 0.8];
        for (parameter, value) in net.parameters().iter().zip(w) {
            parameter.set(&Tensor::new(&[[value as f32]], &Device::Cpu).unwrap()).unwrap();
        }
        let (x, y) = ([1.0f64, 2.0], [1.0f64, -1.0]);
        let column = |values: [f64; 2]| Tensor::new(&[[values[0] as f32], [values[1] as f32]], &Device::Cpu).unwrap();
        let batch = Split { inputs: column(x), targets: Targets::Values(column(y)) };
        let objective = Objective::new(&net, &batch, 0, Seed(0));
        let gradient = |w: [f64; 3], layer: usize| -> f64 {
            let product: f64 = w.iter().product();
            let others = product / w[layer];
            x.iter().zip(&y).map(|(x, y)| (product * x - y) * others * x).sum()
        };
        let rate = 0.3;
        let slope = objective.slope().unwrap();
        let shifts = covariate_shift(&objective, &slope, rate, &[1, 2, 3]).unwrap();
        for (layer, shift) in shifts.into_iter().enumerate() {
            let mut moved = w;
            for (earlier, moved) in moved.iter_mut().enumerate().take(layer) {
                *moved -= rate * gradient(w, earlier);
            }
            let (g, after) = (gradient(w, layer), gradient(moved, layer));
            assert!((shift.difference - (g - after).abs()).abs() < 1e-5, "layer {layer}: {shift:?} {g} {after}");
            assert!((shift.cosine.unwrap() - (g * after).signum()).abs() < 1e-5);
            assert!((shift.relative.unwrap() - (g - after).abs() / g.abs()).abs() < 1e-5);
        }
        let after: Vec<f32> =
            net.parameters().iter().map(|parameter| parameter.to_vec2::<f32>().unwrap()[0][0]).collect();
        assert_eq!(after, w.map(|value| value as f32));
        assert!(covariate_shift(&objective, &slope, rate, &[4]).is_err());
    }
}
