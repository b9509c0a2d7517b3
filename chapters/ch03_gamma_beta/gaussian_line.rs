//! How straight a sigmoid is for a normal input: σ(γz + β) with z ~ N(0, 1), against its best line in z.
//!
//! The best line has the slope Cov(z, σ) and explains Cov(z, σ)² of the variance Var σ. Small γ: all of it; γ → ∞ makes
//! σ a step, of which the line explains 2/π at β = 0.

use candle_core::Result;
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// Step of the trapezoidal rule and where it ends. For a smooth integrand that vanishes at both ends the rule errs by
/// about exp(−2π²/(γ · step)), far below rounding for the γ here.
const STEP: f64 = 0.01;
const END: f64 = 12.0;

/// The trial: exact, by quadrature.
#[derive(Clone, Debug, Serialize)]
pub struct GaussianLine {
    /// Where γ ends in the series; it starts at 0.1.
    pub largest_gamma: f64,
    pub beta: f64,
}

impl Trial for GaussianLine {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values `linear_share`, `nonlinear_share` (parts of the variance) and `mean_slope` (mean of σ′, 0.25 at most) at
    /// γ = 1. Series `nonlinear_share_by_gamma`, and over z `sigmoid` and `density`.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let mut trace = Trace::default();
        let share = linear_share(1.0, self.beta);
        trace.values.insert("linear_share".into(), share);
        trace.values.insert("nonlinear_share".into(), 1.0 - share);
        trace.values.insert("mean_slope".into(), mean(|z| slope(z + self.beta)));
        let gammas: Vec<f64> =
            (1..).map(|tenth| f64::from(tenth) / 10.0).take_while(|g| *g <= self.largest_gamma).collect();
        let shares = gammas.iter().map(|gamma| 1.0 - linear_share(*gamma, self.beta)).collect();
        trace.series.insert("nonlinear_share_by_gamma".into(), Series { x: gammas, y: shares });
        let places: Vec<f64> = (-32..=32).map(|quarter| f64::from(quarter) / 4.0).collect();
        for (name, f) in [("sigmoid", sigmoid as fn(f64) -> f64), ("density", density)] {
            trace.series.insert(name.into(), Series { x: places.clone(), y: places.iter().map(|z| f(*z)).collect() });
        }
        Ok(trace)
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-z))
}

/// σ′.
fn slope(z: f64) -> f64 {
    sigmoid(z) * sigmoid(-z)
}

/// Of a standard normal.
fn density(z: f64) -> f64 {
    libm::exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt()
}

/// E f(z).
fn mean(f: impl Fn(f64) -> f64) -> f64 {
    let places = (END / STEP) as i32;
    let weighted = |place: i32| {
        let z = f64::from(place) * STEP;
        density(z) * f(z)
    };
    (-places..=places).map(weighted).sum::<f64>() * STEP
}

// ANCHOR: share
/// The part of the variance of σ(γz + β) that its best line in z explains.
pub fn linear_share(gamma: f64, beta: f64) -> f64 {
    let centre = mean(|z| sigmoid(gamma * z + beta));
    let variance = mean(|z| (sigmoid(gamma * z + beta) - centre).powi(2));
    let covariance = mean(|z| z * sigmoid(gamma * z + beta));
    covariance.powi(2) / variance
}
// ANCHOR_END: share

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook_lab::seed::Seed;

    /// Stein's lemma: Cov(z, σ(γz + β)) = γ E σ′(γz + β).
    #[test]
    fn the_slope_of_the_best_line_is_the_mean_slope() {
        for (gamma, beta) in [(1.0, 0.0), (3.0, 1.5)] {
            let covariance = mean(|z| z * sigmoid(gamma * z + beta));
            assert!((covariance - gamma * mean(|z| slope(gamma * z + beta))).abs() < 1e-13);
        }
    }

    #[test]
    fn a_flat_sigmoid_is_a_line_and_a_steep_one_a_step() {
        assert!((mean(|z| z.powi(4)) - 3.0).abs() < 1e-13);
        assert!(1.0 - linear_share(0.01, 0.0) < 1e-8);
        // The variance is 1/4 less E σ(1 − σ), which is the normal density at 0 over γ.
        let gamma = 50.0;
        let expected = 2.0 / std::f64::consts::PI / (1.0 - 4.0 * density(0.0) / gamma);
        assert!((linear_share(gamma, 0.0) - expected).abs() < 1e-3);
    }

    #[test]
    fn gamma_opens_the_curve() {
        let trace = GaussianLine { largest_gamma: 8.0, beta: 0.0 }.run_alone(Seed(0), &Device::Cpu).unwrap();
        let shares = &trace.series["nonlinear_share_by_gamma"].y;
        assert_eq!(shares.len(), 80);
        assert!(shares.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(shares[9], trace.values["nonlinear_share"]);
    }
}
