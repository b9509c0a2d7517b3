//! Lemma 4.5: the distance from the starting weights to the nearest optimum.

use super::hyper_dual::Function;
use super::layer::{Layer, Plain, WithNorm, configuration};
use candle_core::Result;
use nalgebra::DVector;
use normbook::probe::exact::larger;
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: exact, over so many random layers.
#[derive(Clone, Debug, Serialize)]
pub struct Initialization {
    pub nets: usize,
}

/// The right side: ‖W₀ − W*‖² − (‖W*‖² − ⟨W*, W₀⟩)² / ‖W*‖².
// ANCHOR: bound
fn bound(start: &DVector<f64>, plain: &DVector<f64>) -> f64 {
    let square = plain.norm_squared();
    (start - plain).norm_squared() - (square - plain.dot(start)).powi(2) / square
}
// ANCHOR_END: bound

/// The optimum for BatchNorm that is nearest to `start`: kW* with k > 0, as near to 0 as one likes if the angle is
/// wide.
fn nearest(start: &DVector<f64>, plain: &DVector<f64>) -> DVector<f64> {
    plain * (plain.dot(start) / plain.norm_squared()).max(0.0)
}

impl Trial for Initialization {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values, the largest over all layers: `scaled_loss` and `scaled_gradient`, the loss at kW* beyond that at W* and
    /// the gradient there, in parts of those at the start; `distance`, from the bound in parts of ‖W₀‖²;
    /// `condition_excess`, by how much the distance is above the bound where ⟨W₀, W*⟩ < 0, in parts of ‖W₀‖².
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let mut trace = Trace::default();
        let mut worst = |name: &str, value: f64| {
            let entry = trace.values.entry(name.into()).or_insert(0.0_f64);
            *entry = larger(*entry, value);
        };
        for layer in (0..self.nets).map(Layer::draw) {
            let (weight, bias) = layer.minimum();
            // On the side that the lemma asks for, and on the other.
            let near = &layer.start * weight.dot(&layer.start).signum();
            let far = -&near;
            let optimum = nearest(&near, &weight);
            let mut scaled = configuration(&layer, &weight, bias);
            scaled[..weight.len()].copy_from_slice(optimum.as_slice());
            let normalized = WithNorm(&layer);
            let at_start = configuration(&layer, &near, 0.0);
            let plain: Vec<f64> = weight.iter().copied().chain([bias]).collect();
            let loss_at_start: f64 = normalized.at(&at_start);
            worst("scaled_loss", (normalized.at(&scaled) - Plain(&layer).at(&plain)).abs() / loss_at_start);
            worst("scaled_gradient", normalized.gradient(&scaled).norm() / normalized.gradient(&at_start).norm());
            let apart = |start: &DVector<f64>| {
                let distance = (start - nearest(start, &weight)).norm_squared();
                (distance - bound(start, &weight)) / start.norm_squared()
            };
            worst("distance", apart(&near).abs());
            worst("condition_excess", apart(&far));
        }
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook_lab::seed::Seed;

    /// Straight away from the optimum the bound says that there is no distance at all.
    #[test]
    fn the_condition_matters() {
        let (plain, away) = (DVector::from_vec(vec![1.0, 0.0]), DVector::from_vec(vec![-1.0, 0.0]));
        assert_eq!((bound(&away, &plain), (&away - nearest(&away, &plain)).norm_squared()), (0.0, 1.0));
        let beside = DVector::from_vec(vec![3.0, 4.0]);
        assert_eq!((bound(&beside, &plain), nearest(&beside, &plain)[0]), (16.0, 3.0));
    }

    #[test]
    fn the_lemma_is_an_equality() {
        let values = Initialization { nets: 20 }.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        for name in ["scaled_loss", "scaled_gradient", "distance"] {
            assert!(values[name] < 1e-12, "{name}: {values:?}");
        }
        assert!(values["condition_excess"] > 0.1, "{values:?}");
    }
}
