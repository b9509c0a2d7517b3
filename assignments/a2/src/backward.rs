//! The gradients of the loss ℓ, from `upstream`, ∂ℓ/∂y of shape `[N, D]`, and what the forward pass has kept.

use super::{BatchNorm, Cache};

impl BatchNorm {
    /// ∂ℓ/∂γ and ∂ℓ/∂β, `[D]` each. γⱼ and βⱼ act on every example, so the gradients add up:
    ///
    /// ```text
    /// ∂ℓ/∂γⱼ = Σᵢ ∂ℓ/∂yᵢⱼ x̂ᵢⱼ          ∂ℓ/∂βⱼ = Σᵢ ∂ℓ/∂yᵢⱼ
    /// ```
    pub fn backward_parameters(&self, cache: &Cache, upstream: &[f64]) -> (Vec<f64>, Vec<f64>) {
        // SOLUTION two sums over the examples
        let features = self.gamma.len();
        let (mut of_gamma, mut of_beta) = (vec![0.0; features], vec![0.0; features]);
        for (index, (upstream, normalized)) in upstream.iter().zip(&cache.normalized).enumerate() {
            of_gamma[index % features] += upstream * normalized;
            of_beta[index % features] += upstream;
        }
        (of_gamma, of_beta)
        // END
    }

    /// ∂ℓ/∂x, `[N, D]`. An input acts on the loss through its own x̂, through σ² and through μ, and all three ways
    /// count (§3, the equations below Algorithm 1). For one feature:
    ///
    /// ```text
    /// ∂ℓ/∂x̂ᵢ = γ ∂ℓ/∂yᵢ
    /// ∂ℓ/∂σ² = −1/2 (σ² + ε)^(−3/2) Σᵢ ∂ℓ/∂x̂ᵢ (xᵢ − μ)
    /// ∂ℓ/∂μ  = −1/√(σ² + ε) Σᵢ ∂ℓ/∂x̂ᵢ + ∂ℓ/∂σ² · 1/N Σᵢ −2 (xᵢ − μ)
    /// ∂ℓ/∂xᵢ = ∂ℓ/∂x̂ᵢ / √(σ² + ε) + ∂ℓ/∂σ² · 2 (xᵢ − μ)/N + ∂ℓ/∂μ · 1/N
    /// ```
    ///
    /// Write xᵢ − μ as x̂ᵢ √(σ² + ε), and simplify on paper before you write code.
    pub fn backward_inputs(&self, cache: &Cache, upstream: &[f64]) -> Vec<f64> {
        // SOLUTION what is left of the four lines is one line and two means over the examples
        let features = self.gamma.len();
        let n = (upstream.len() / features) as f64;
        // Through μ: the mean of ∂ℓ/∂y. Through σ²: the part of it along x̂.
        let (mut mean, mut along) = (vec![0.0; features], vec![0.0; features]);
        for (index, (upstream, normalized)) in upstream.iter().zip(&cache.normalized).enumerate() {
            mean[index % features] += upstream / n;
            along[index % features] += upstream * normalized / n;
        }
        let gradient = |(index, (upstream, normalized)): (usize, (&f64, &f64))| {
            let feature = index % features;
            let scale = self.gamma[feature] / cache.root[feature];
            scale * (upstream - mean[feature] - normalized * along[feature])
        };
        upstream.iter().zip(&cache.normalized).enumerate().map(gradient).collect()
        // END
    }
}
