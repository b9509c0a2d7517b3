//! Training, running statistics, evaluation.

use super::{BatchNorm, Cache, mean_and_variance};

impl BatchNorm {
    /// A batch in training mode, normalized by its own statistics, `[N, D] -> [N, D]`, and what the backward pass will
    /// need:
    ///
    /// ```text
    /// x̂ᵢⱼ = (xᵢⱼ − μⱼ) / √(σⱼ² + ε)          yᵢⱼ = γⱼ x̂ᵢⱼ + βⱼ          (Algorithm 1, lines 3 and 4)
    /// ```
    ///
    /// The running statistics stay as they are: `follow` moves them.
    pub fn forward(&self, x: &[f64]) -> (Vec<f64>, Cache) {
        // SOLUTION normalize, keep x̂ and the roots, then scale and shift
        let features = self.gamma.len();
        let (mean, variance) = mean_and_variance(x, features);
        let root: Vec<f64> = variance.iter().map(|variance| (variance + self.epsilon).sqrt()).collect();
        let mut normalized = x.to_vec();
        let mut y = x.to_vec();
        for index in 0..x.len() {
            let feature = index % features;
            normalized[index] = (x[index] - mean[feature]) / root[feature];
            y[index] = self.gamma[feature] * normalized[index] + self.beta[feature];
        }
        (y, Cache { normalized, root })
        // END
    }

    /// The running statistics hear of another training batch, `[N, D]` with N of at least 2. In PyTorch's convention
    /// the momentum p is the weight of what is *new*:
    ///
    /// ```text
    /// running mean     ← (1 − p) · running mean     + p · μ
    /// running variance ← (1 − p) · running variance + p · N/(N − 1) σ²
    /// ```
    ///
    /// The batch was normalized by the biased variance; the unbiased one is remembered (Algorithm 2, line 10).
    pub fn follow(&mut self, x: &[f64]) {
        // SOLUTION move both averages towards those of the batch
        let features = self.gamma.len();
        let n = (x.len() / features) as f64;
        let (mean, variance) = mean_and_variance(x, features);
        let p = self.momentum;
        for feature in 0..features {
            let unbiased = variance[feature] * n / (n - 1.0);
            self.running_mean[feature] = (1.0 - p) * self.running_mean[feature] + p * mean[feature];
            self.running_variance[feature] = (1.0 - p) * self.running_variance[feature] + p * unbiased;
        }
        // END
    }

    /// Examples in test mode, `[N, D] -> [N, D]`: the running statistics stand in the place of the batch's (Algorithm
    /// 2, line 11), so that the answer to an example does not depend on the others.
    pub fn evaluate(&self, x: &[f64]) -> Vec<f64> {
        // SOLUTION the formula of `forward` with other statistics
        let features = self.gamma.len();
        let value = |(index, x): (usize, &f64)| {
            let feature = index % features;
            let root = (self.running_variance[feature] + self.epsilon).sqrt();
            self.gamma[feature] * (x - self.running_mean[feature]) / root + self.beta[feature]
        };
        x.iter().enumerate().map(value).collect()
        // END
    }
}
