//! Observation 4.3: γ = σ and β = μ give the plain layer's outputs back; and what becomes of its minima.

use super::hyper_dual::Function;
use super::layer::{INPUTS, Layer, WithNorm, configuration};
use candle_core::Result;
use nalgebra::DVector;
use normbook::probe::exact::{larger, relative_difference};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// Gradients by W below this part of that at the starting weights count as none.
const NO_GRADIENT: f64 = 1e-3;

/// The trial: exact, over so many random layers.
#[derive(Clone, Debug, Serialize)]
pub struct Recovery {
    pub nets: usize,
}

impl Trial for Recovery {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values, the largest over all layers: `activations`, the difference of the outputs in parts of the largest;
    /// `gradient_at_minimum`, by W, γ and β where the plain layer has its minimum, in parts of that at the starting
    /// weights. And `moved_without_bias`: the part of the layers in which a plain minimum without a bias is none for
    /// BatchNorm's W.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let (mut activations, mut at_minimum, mut moved) = (0.0_f64, 0.0_f64, 0.0);
        for layer in (0..self.nets).map(Layer::draw) {
            let normalized = WithNorm(&layer);
            let start = configuration(&layer, &layer.start, 0.0);
            let (outputs, plain) = (normalized.outputs(&start), &layer.inputs * &layer.start);
            activations = larger(activations, relative_difference(&outputs, plain.as_slice()));
            let at_start = normalized.gradient(&start);
            let (weight, bias) = layer.minimum();
            let gradient = normalized.gradient(&configuration(&layer, &weight, bias));
            at_minimum = larger(at_minimum, gradient.norm() / at_start.norm());
            let without = configuration(&layer, &layer.minimum_without_bias(), 0.0);
            let by_weight = |gradient: &DVector<f64>| gradient.rows(0, INPUTS).norm();
            let left = by_weight(&normalized.gradient(&without)) / by_weight(&at_start);
            moved += f64::from(left > NO_GRADIENT);
        }
        let mut trace = Trace::default();
        trace.values.extend([
            ("activations".into(), activations),
            ("gradient_at_minimum".into(), at_minimum),
            ("moved_without_bias".into(), moved / self.nets as f64),
        ]);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook_lab::seed::Seed;

    #[test]
    fn outputs_and_minima_come_back() {
        let values = Recovery { nets: 20 }.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        assert!(values["activations"] < 1e-12 && values["gradient_at_minimum"] < 1e-12, "{values:?}");
    }
}
