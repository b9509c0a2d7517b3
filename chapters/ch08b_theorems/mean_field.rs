//! By how much the squared gradient grows a layer in a wide, deep net with BatchNorm at its start: the mean field of
//! Yang et al. 2019 (arXiv:1902.08129), derived here for every batch size B.
//!
//! A wide layer's outputs over the batch are normal; far from the input every pair of examples is alike, so that ŷ is
//! uniform on the sphere of radius √B orthogonal to 1: any two examples have the correlation ρ = −1/(B − 1). With
//! x = φ(ŷ) behind it the next layer's variance over the batch is s χ²/B, χ² with B − 1 degrees of freedom, where
//! s = E[φ(ŷᵢ)²] − E[φ(ŷᵢ) φ(ŷⱼ)]; and E[1/χ²] = 1/(B − 3). The gradient that comes back is independent of ŷ and, like
//! everything behind BatchNorm, orthogonal to 1.

use super::explosion::Activation;
use candle_core::Result;
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// The trial: exact; the formula, for the figures.
#[derive(Clone, Debug, Serialize)]
pub struct MeanField {
    pub activation: Activation,
    pub batch_sizes: Vec<usize>,
    /// Layers of the curve `gradient`.
    pub depth: usize,
    /// The batch size of that curve.
    pub batch_size: usize,
}

/// How much of the squared gradient BatchNorm lets through, and by how much it stretches that: Theorem 4.1's bracket
/// and its factor 1/σ².
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    pub kept: f64,
    pub stretched: f64,
}

impl Growth {
    /// Of a layer with its activation. Both activations' weights have the variance that keeps a plain net's gradient:
    /// 1/N for the identity, 2/N for ReLU.
    // ANCHOR: growth
    pub fn of(activation: Activation, batch_size: usize) -> Self {
        let b = batch_size as f64;
        let rho = -1.0 / (b - 1.0);
        // s as above, weights included; `together` is the chance that one example is let through if another is.
        let (s, together) = match activation {
            Activation::Identity => (1.0 - rho, 1.0),
            Activation::Relu => {
                let angle = libm::acos(rho);
                (1.0 - ((1.0 - rho * rho).sqrt() + (PI - angle) * rho) / PI, 1.0 - angle / PI)
            }
        };
        // E‖Pg‖² = E‖g‖² − E⟨1, g⟩²/B − E⟨ŷ, g⟩²/B, over E‖g‖².
        let kept = 1.0 - (1.0 - together) / b - s / b;
        Self { kept, stretched: b / (s * (b - 3.0)) }
    }
    // ANCHOR_END: growth

    pub fn factor(self) -> f64 {
        self.kept * self.stretched
    }
}

/// π/(π − 1): ReLU's growth in large batches.
pub const LARGE_BATCH: f64 = PI / (PI - 1.0);

impl Trial for MeanField {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values `growth_at_B`, `kept_at_B` and `stretched_at_B`, and `large_batch`; series `growth` by batch size and
    /// `gradient` by layers below the output, over that at the output.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let growth = |batch_size: &usize| Growth::of(self.activation, *batch_size);
        let mut trace = Trace::default();
        for size in &self.batch_sizes {
            let growth = growth(size);
            trace.values.insert(format!("growth_at_{size}"), growth.factor());
            trace.values.insert(format!("kept_at_{size}"), growth.kept);
            trace.values.insert(format!("stretched_at_{size}"), growth.stretched);
        }
        let large = if self.activation == Activation::Relu { LARGE_BATCH } else { 1.0 };
        trace.values.insert("large_batch".into(), large);
        let x = self.batch_sizes.iter().map(|size| *size as f64).collect();
        let y = self.batch_sizes.iter().map(|size| growth(size).factor()).collect();
        trace.series.insert("growth".into(), Series { x, y });
        let layers: Vec<f64> = (0..self.depth).map(|layer| layer as f64).collect();
        let y = layers.iter().map(|layer| libm::pow(growth(&self.batch_size).factor(), *layer)).collect();
        trace.series.insert("gradient".into(), Series { x: layers, y });
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_nets_grow_by_b_minus_2_over_b_minus_3() {
        for b in [5, 8, 64] {
            let expected = (b as f64 - 2.0) / (b as f64 - 3.0);
            assert!((Growth::of(Activation::Identity, b).factor() - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn relu_comes_down_to_pi_over_pi_minus_1() {
        let growth = |b| Growth::of(Activation::Relu, b).factor();
        assert!(growth(8) > growth(64) && growth(64) > growth(1 << 20));
        assert!((growth(1 << 20) - LARGE_BATCH).abs() < 1e-5);
        assert!((LARGE_BATCH - 1.467).abs() < 1e-3);
    }
}
