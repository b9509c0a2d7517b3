//! The second form of Theorem 4.2 under a loss whose Hessian is the identity, which preserves every norm.

use super::hyper_dual::{Function, Real};
use super::net::{Behind, Net, decade, statistics};
use candle_core::Result;
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: exact, over so many random batches.
#[derive(Clone, Debug, Serialize)]
pub struct SecondForm {
    pub nets: usize,
}

/// L(z) = ‖z − bottom‖² / 2.
struct Bowl<'a>(&'a [f64]);

impl Function for Bowl<'_> {
    fn at<R: Real>(&self, z: &[R]) -> R {
        let apart = z.iter().zip(self.0).map(|(z, bottom)| *z - (*bottom).into());
        apart.fold(R::from(0.0), |sum, apart| sum + apart * apart * R::from(0.5))
    }
}

/// By hand: y with μ = 0 and σ = ½, γ = 1, β = 0, and a bottom that is away from z = ŷ, orthogonal to 1 and to ŷ.
const THREE: [f64; 3] = [-1.0, 0.0, 1.0];
const SIGMA: f64 = 0.5;
const AWAY: [f64; 3] = [-1.0, 2.0, -1.0];

impl Trial for SecondForm {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values: by hand `curvature` along the gradient beside the form's `right_side`, and `exceeded`, in parts of the
    /// curvature. Over random batches: `slack`, the smallest room below the right side where γ ≤ σ, in parts of both
    /// sides; `fails_where_gamma_is_larger`, in which part of the batches with σ < γ < 10 σ it does not hold.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let y = THREE.map(|y| y * SIGMA * 1.5_f64.sqrt());
        let away = |normalized: &[f64]| normalized.iter().zip(AWAY).map(|(z, away)| z + away).collect::<Vec<f64>>();
        let (curvature, right_side) = sides(&y, 1.0, 0.0, &away(statistics(&y).1.as_slice()));
        let (mut slack, mut fails) = (f64::INFINITY, 0.0);
        for number in 0..self.nets {
            let Net { y, beta, .. } = Net::draw(number);
            let mut stream = Seed(3).stream(Purpose::Probe, number as u64);
            let bottom: Vec<f64> = y.iter().map(|_| 3.0 * stream.normal()).collect();
            let (sigma, larger) = (statistics(&y).0, decade(&mut stream).max(1.0 + f64::EPSILON));
            let (left, right) = sides(&y, sigma / larger, beta, &bottom);
            slack = slack.min((right - left) / (right.abs() + left.abs()));
            let (left, right) = sides(&y, sigma * larger, beta, &bottom);
            fails += f64::from(left > right);
        }
        let mut trace = Trace::default();
        trace.values.extend([
            ("curvature".into(), curvature),
            ("right_side".into(), right_side),
            ("exceeded".into(), (curvature - right_side) / curvature),
            ("slack".into(), slack),
            ("fails_where_gamma_is_larger".into(), fails / self.nets as f64),
        ]);
        Ok(trace)
    }
}

/// vᵀ (∂²L̂/∂y²) v for v = ∂L̂/∂y, and (γ²/σ²) (gᵀHg − ⟨g, ŷ⟩ ‖v‖² / (mγ)).
fn sides(y: &[f64], gamma: f64, beta: f64, bottom: &[f64]) -> (f64, f64) {
    let (sigma, normalized) = statistics(y);
    let z: Vec<f64> = normalized.iter().map(|y| gamma * y + beta).collect();
    let bowl = Bowl(bottom);
    let behind = Behind { loss: &bowl, gamma, beta };
    let (v, bent) = (behind.gradient(y), behind.hessian(y));
    let (g, hessian) = (bowl.gradient(&z), bowl.hessian(&z));
    let pulled = g.dot(&normalized) * v.norm_squared() / (y.len() as f64 * gamma);
    (v.dot(&(bent * &v)), (gamma / sigma).powi(2) * (g.dot(&(hessian * &g)) - pulled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_numbers_are_those_on_paper() {
        let values = SecondForm { nets: 20 }.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        assert!(
            (values["curvature"] - 96.0).abs() < 1e-10 && (values["right_side"] - 24.0).abs() < 1e-10,
            "{values:?}"
        );
        assert!(values["slack"] >= 0.0 && values["fails_where_gamma_is_larger"] > 0.1, "{values:?}");
    }
}
