//! BN(W u) = BN((a W) u), and what follows for the gradient (arXiv:1502.03167, §3.3).

use candle_core::{Result, Var};
use normbook::probe::exact::{cosine, normal, relative_difference, values};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use normbook_ops::{
    linear::linear,
    normalize::{Axes, Normalization, ScaleStatistic, normalize},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: exact, in f64, on 20 examples of 6 inputs and 4 units with random γ, β and upstream gradient.
#[derive(Clone, Debug, Serialize)]
pub struct Rescaling {
    /// a.
    pub scale: f64,
    pub epsilon: f64,
}

/// A pass: output, ∂/∂W, ∂/∂u.
struct Passed {
    output: Vec<f64>,
    of_weight: Vec<f64>,
    of_input: Vec<f64>,
}

impl Trial for Rescaling {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values: `output_difference` between BN(a W u) and BN(W u), `mirrored_difference` between BN(a W u) − β and
    /// −(BN(W u) − β), `input_gradient_difference`, and `weight_gradient_difference` between a ∂/∂(a W) and ∂/∂W, all
    /// relative to the largest value; `weight_cosine` between W and ∂/∂W at a W.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let mut stream = Seed(0).stream(Purpose::Probe, 0);
        let (inputs, weight) = (normal(&mut stream, (20, 6))?, normal(&mut stream, (4, 6))?);
        let [gamma, beta] = [normal(&mut stream, 4)?, normal(&mut stream, 4)?];
        let upstream = normal(&mut stream, (20, 4))?;
        let pass = |weight: &Var| -> Result<Passed> {
            let mapped = linear(&inputs, weight, &gamma.zeros_like()?)?;
            let how =
                Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: self.epsilon };
            let output = normalize(&mapped, &gamma, &beta, how)?.output;
            let gradients = (&output * upstream.as_tensor())?.sum_all()?.backward()?;
            let of = |var: &Var| gradients.get(var).map_or_else(|| Ok(Vec::new()), values);
            Ok(Passed { of_weight: of(weight)?, of_input: of(&inputs)?, output: values(&output)? })
        };
        let scaled_weight = Var::from_tensor(&(weight.as_tensor() * self.scale)?)?;
        let (plain, scaled) = (pass(&weight)?, pass(&scaled_weight)?);
        let beta_everywhere = values(&beta.broadcast_as((20, 4))?.contiguous()?)?;
        let without_beta = |output: &[f64], sign: f64| -> Vec<f64> {
            output.iter().zip(&beta_everywhere).map(|(output, beta)| sign * (output - beta)).collect()
        };
        let rescaled: Vec<f64> = scaled.of_weight.iter().map(|gradient| self.scale * gradient).collect();
        let mut trace = Trace::default();
        trace.values.extend([
            ("output_difference".into(), relative_difference(&scaled.output, &plain.output)),
            (
                "mirrored_difference".into(),
                relative_difference(&without_beta(&scaled.output, 1.0), &without_beta(&plain.output, -1.0)),
            ),
            ("input_gradient_difference".into(), relative_difference(&scaled.of_input, &plain.of_input)),
            ("weight_gradient_difference".into(), relative_difference(&rescaled, &plain.of_weight)),
            ("weight_cosine".into(), cosine(&values(&scaled_weight)?, &scaled.of_weight)),
        ]);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn value(scale: f64, epsilon: f64, name: &str) -> f64 {
        Rescaling { scale, epsilon }.run_alone(Seed(0), &Device::Cpu).unwrap().values[name]
    }

    #[test]
    fn epsilon_and_sign_break_what_holds_else() {
        for name in ["output_difference", "weight_gradient_difference", "input_gradient_difference"] {
            assert!(value(7.0, 0.0, name) < 1e-12, "{name}");
            assert!(value(1e-3, 1e-5, name) > 1e-2, "{name}: ε is no longer small beside the variance");
            assert!(value(-1.0, 0.0, name) > 0.5, "{name}: the sign flips");
        }
        assert!(value(-1.0, 0.0, "mirrored_difference") < 1e-12);
    }
}
