//! Theorems 4.1 and 4.2: gradient and curvature of the loss by one unit's outputs, with BatchNorm and without.

use super::hyper_dual::{Function, Real};
use super::net::{Net, statistics};
use candle_core::Result;
use nalgebra::{DMatrix, DVector};
use normbook::probe::exact::{larger, largest, relative_difference};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// Step of the central differences, in parts of σ.
const STEP: f64 = 1e-5;

/// The trial: exact, over so many random nets.
#[derive(Clone, Debug, Serialize)]
pub struct Landscape {
    pub nets: usize,
}

/// What the theorems speak of: g = ∂L/∂z and ŷ, H = ∂²L/∂z², γ and σ.
struct Terms {
    gradient: DVector<f64>,
    hessian: DMatrix<f64>,
    normalized: DVector<f64>,
    gamma: f64,
    sigma: f64,
}

impl Terms {
    fn m(&self) -> f64 {
        self.gradient.len() as f64
    }

    // ANCHOR: lipschitz
    /// (γ²/σ²) (‖g‖² − ⟨1, g⟩²/m − c ⟨g, ŷ⟩²) with c = 1/m, or 1/√m as it is printed.
    fn lipschitz(&self, factor: f64) -> f64 {
        let (g, y_hat) = (&self.gradient, &self.normalized);
        let left = g.norm_squared() - g.sum().powi(2) / self.m() - factor * g.dot(y_hat).powi(2);
        (self.gamma / self.sigma).powi(2) * left
    }
    // ANCHOR_END: lipschitz

    // ANCHOR: curvature
    /// The two terms of (γ²/σ²) vᵀHv − (γ/(mσ²)) ⟨g, ŷ⟩ ‖v‖² for the gradient v = ∂L̂/∂y.
    fn curvature(&self, v: &DVector<f64>) -> [f64; 2] {
        let bent = (self.gamma / self.sigma).powi(2) * v.dot(&(&self.hessian * v));
        let pulled = self.gamma / (self.m() * self.sigma.powi(2)) * self.gradient.dot(&self.normalized);
        [bent, -pulled * v.norm_squared()]
    }
    // ANCHOR_END: curvature

    /// (γ²/σ²) PHP − (γ/(mσ²)) (⟨g, ŷ⟩ P + Pg ŷᵀ + ŷ (Pg)ᵀ), P = I − 11ᵀ/m − ŷŷᵀ/m: the whole Hessian of L̂.
    fn whole_hessian(&self) -> DMatrix<f64> {
        let (g, y_hat, m) = (&self.gradient, &self.normalized, self.m());
        let ones = DVector::from_element(g.len(), 1.0);
        let p = DMatrix::identity(g.len(), g.len()) - (&ones * ones.transpose()) / m - (y_hat * y_hat.transpose()) / m;
        let crossed = &p * g * y_hat.transpose();
        let pulled = &p * g.dot(y_hat) + &crossed + crossed.transpose();
        (self.gamma / self.sigma).powi(2) * (&p * &self.hessian * &p) - self.gamma / (m * self.sigma.powi(2)) * pulled
    }
}

impl Trial for Landscape {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values. The largest difference over all nets, relative to the size of the terms: `lipschitz`, `curvature`,
    /// `whole_hessian`, `gamma_and_beta` (between ⟨g, ŷ⟩ and ∂L̂/∂γ, ⟨1, g⟩ and ∂L̂/∂β), `by_differences` (the slope
    /// along v). Fractions of the nets in which an inequality does not hold: `printed_fails`; `own_gradient_fails`, with
    /// the plain net's gradient taken at y instead of z. `own_gradient_excess`: by how much at most, in parts of the
    /// left side.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let mut trace = Trace::default();
        let mut worst = |name: &str, value: f64| {
            let entry = trace.values.entry(name.into()).or_insert(f64::NEG_INFINITY);
            *entry = larger(*entry, value);
        };
        let (mut printed_fails, mut own_fails) = (0.0, 0.0);
        for net in (0..self.nets).map(Net::draw) {
            let (sigma, normalized) = statistics(&net.y);
            let z: Vec<f64> = normalized.iter().map(|y| net.gamma * y + net.beta).collect();
            let (gradient, hessian) = (net.upper.gradient(&z), net.upper.hessian(&z));
            let terms = Terms { gradient, hessian, normalized, gamma: net.gamma, sigma };
            let behind = net.behind();
            let (v, bent) = (behind.gradient(&net.y), behind.hessian(&net.y));
            let (m, size) = (terms.m(), (net.gamma / sigma).powi(2) * terms.gradient.norm_squared());
            let left = v.norm_squared();
            worst("lipschitz", (left - terms.lipschitz(1.0 / m)).abs() / size);
            printed_fails += f64::from(left > terms.lipschitz(1.0 / m.sqrt()) + 1e-9 * size);
            let [first, second] = terms.curvature(&v);
            worst("curvature", (v.dot(&(&bent * &v)) - first - second).abs() / (first.abs() + second.abs()));
            worst("whole_hessian", relative_difference(terms.whole_hessian().as_slice(), bent.as_slice()));
            worst("gamma_and_beta", gamma_and_beta(&net, &terms));
            let slope = behind.difference(&net.y, &v, STEP * sigma / v.norm());
            worst("by_differences", (slope - left).abs() / left);
            let own = Terms { gradient: net.upper.gradient(&net.y), ..terms }.lipschitz(1.0 / m);
            own_fails += f64::from(left > own);
            worst("own_gradient_excess", (left - own) / left);
        }
        let nets = self.nets as f64;
        let parts = [("printed_fails", printed_fails / nets), ("own_gradient_fails", own_fails / nets)];
        trace.values.extend(parts.map(|(name, part)| (name.into(), part)));
        Ok(trace)
    }
}

/// How far ⟨g, ŷ⟩ and ⟨1, g⟩ are from the slopes of L̂ by γ and β.
fn gamma_and_beta(net: &Net, terms: &Terms) -> f64 {
    let slopes = GammaAndBeta { net, normalized: &terms.normalized }.gradient(&[net.gamma, net.beta]);
    let apart = largest([slopes[0] - terms.gradient.dot(&terms.normalized), slopes[1] - terms.gradient.sum()]);
    apart / (terms.m().sqrt() * terms.gradient.norm())
}

/// (γ, β) ↦ L(γ ŷ + β).
struct GammaAndBeta<'a> {
    net: &'a Net,
    normalized: &'a DVector<f64>,
}

impl Function for GammaAndBeta<'_> {
    fn at<R: Real>(&self, x: &[R]) -> R {
        self.net.upper.at(&self.normalized.iter().map(|y| x[0] * (*y).into() + x[1]).collect::<Vec<R>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook_lab::seed::Seed;

    #[test]
    fn the_theorems_hold_and_the_printed_form_does_not() {
        let values = Landscape { nets: 20 }.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        for name in ["lipschitz", "curvature", "whole_hessian", "gamma_and_beta"] {
            assert!(values[name] < 1e-9, "{name}: {values:?}");
        }
        assert!(values["by_differences"] < 1e-6, "{values:?}");
        assert!(values["printed_fails"] > 0.9, "{values:?}");
    }
}
