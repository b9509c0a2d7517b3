//! A counter-example to two printed inequalities, small enough to be computed by hand.

use super::hyper_dual::{Function, Real};
use super::net::{Behind, statistics};
use super::weight_space::Bound;
use candle_core::Result;
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: exact, with γ = 1, β = 0 and λ = 1.
#[derive(Clone, Debug, Serialize)]
pub struct ByHand;

/// L(z) = ⟨slope, z⟩.
struct Plane<'a>(&'a [f64]);

impl Function for Plane<'_> {
    fn at<R: Real>(&self, z: &[R]) -> R {
        z.iter().zip(self.0).fold(R::from(0.0), |sum, (z, slope)| sum + *z * (*slope).into())
    }
}

// ANCHOR: four
/// y, which is its own ŷ: μ = 0, σ = 1; and L(z) = (z₄ − z₁)/2.
const FOUR: [f64; 4] = [-1.0, -1.0, 1.0, 1.0];
const SLOPE: [f64; 4] = [-0.5, 0.0, 0.0, 0.5];
// ANCHOR_END: four

impl Trial for ByHand {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values: `gradient`, ‖∂L̂/∂y‖², beside Theorem 4.1's `right_side` and `printed`; `weight`, the worst ‖∂L̂/∂W‖²,
    /// beside Theorem 4.4's `weight_appendix`, `weight_printed` and `weight_printed_of_norms`. How far the left side is
    /// above what is printed, in parts of it: `printed_exceeded`, `weight_printed_exceeded`,
    /// `weight_printed_of_norms_exceeded`.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let plane = Plane(&SLOPE);
        let (sigma, normalized) = statistics(&FOUR);
        let (g, v) = (plane.gradient(&FOUR), Behind { loss: &plane, gamma: 1.0, beta: 0.0 }.gradient(&FOUR));
        let (m, scale, along) = (FOUR.len() as f64, sigma.powi(-2), g.dot(&normalized));
        let lipschitz = |factor: f64| scale * (g.norm_squared() - g.sum().powi(2) / m - factor * along.powi(2));
        // With λ = 1 the largest ‖Xᵀ a‖² is ‖a‖².
        let bound = Bound { plain: g.norm_squared(), lambda: 1.0, mean: g.mean(), along, examples: m, scale };
        let (left, printed) = (v.norm_squared(), lipschitz(1.0 / m.sqrt()));
        let mut trace = Trace::default();
        trace.values.extend([
            ("gradient".into(), left),
            ("right_side".into(), lipschitz(1.0 / m)),
            ("printed".into(), printed),
            ("printed_exceeded".into(), (left - printed) / left),
            ("weight".into(), left),
            ("weight_appendix".into(), bound.appendix()),
            ("weight_printed".into(), bound.printed()),
            ("weight_printed_exceeded".into(), (left - bound.printed()) / left),
            ("weight_printed_of_norms".into(), bound.printed_of_norms()),
            ("weight_printed_of_norms_exceeded".into(), (left - bound.printed_of_norms()) / left),
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
    fn the_numbers_are_those_on_paper() {
        let values = ByHand.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        for (name, expected) in [
            ("gradient", 0.25),
            ("right_side", 0.25),
            ("printed", 0.0),
            ("weight_appendix", 0.25),
            ("weight_printed", -0.75),
            ("weight_printed_of_norms", -0.5),
        ] {
            assert!((values[name] - expected).abs() < 1e-13 * (1.0 + expected.abs()), "{name}: {values:?}");
        }
    }
}
