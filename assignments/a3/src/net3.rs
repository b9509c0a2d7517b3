//! Net 3: a classifier of normalized features. Its evaluation follows the last batch or two and forgets the rest.

use crate::{EPSILON, table::Table};

/// `x [m, d] → batch normalization → sigmoid(w · y + c)`: for each example the probability of class 1.
///
/// `p` is the lecture's: it weighs the **old** value, and a large p is a long memory,
///
/// ```text
/// running ← p · running + (1 − p) · batch                    0 ≤ p < 1
/// ```
///
/// for the mean and for the biased variance of every feature. (PyTorch's `momentum` is 1 − p.) The very first batch is
/// no exception: it is averaged with mean 0 and variance 1, which a new net begins with. In evaluation mode the running
/// statistics normalize, and nothing changes.
#[derive(Clone, Debug)]
pub struct Net {
    /// γ and β of the features, `[d]` each.
    pub gain: Vec<f64>,
    pub bias: Vec<f64>,
    /// w, `[d]`, and c.
    pub weights: Vec<f64>,
    pub offset: f64,
    /// The weight of what the net already knows.
    pub p: f64,
    /// `[d]` each; a new net has mean 0 and variance 1.
    pub running_mean: Vec<f64>,
    pub running_variance: Vec<f64>,
}

impl Net {
    /// A probability for each row of `inputs`.
    pub fn forward(&mut self, inputs: &Table, training: bool) -> Vec<f64> {
        if !training {
            return self.probabilities(inputs, &self.running_mean, &self.running_variance);
        }
        let mean = inputs.means();
        let variance = inputs.variances(&mean);
        for unit in 0..inputs.columns {
            // SOLUTION p weighs the old value
            self.running_mean[unit] = self.p * self.running_mean[unit] + (1.0 - self.p) * mean[unit];
            self.running_variance[unit] = self.p * self.running_variance[unit] + (1.0 - self.p) * variance[unit];
            // STARTER
            //| self.running_mean[unit] = (1.0 - self.p) * self.running_mean[unit] + self.p * mean[unit];
            //| self.running_variance[unit] = (1.0 - self.p) * self.running_variance[unit] + self.p * variance[unit];
            // END
        }
        self.probabilities(inputs, &mean, &variance)
    }

    fn probabilities(&self, inputs: &Table, mean: &[f64], variance: &[f64]) -> Vec<f64> {
        let features = inputs.map(|unit, value| {
            self.gain[unit] * (value - mean[unit]) / (variance[unit] + EPSILON).sqrt() + self.bias[unit]
        });
        let scores = features.times_vector(&self.weights);
        scores.into_iter().map(|score| 1.0 / (1.0 + (-score - self.offset).exp())).collect()
    }
}
