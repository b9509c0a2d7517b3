//! Net 5: small batches, and an odd one at the end. Evaluation sees all values larger than training did.

use crate::{EPSILON, table::Table};

/// `x [m, d] → x W [m, h] → batch normalization → ReLU → · v`, a number for each example.
///
/// A batch is normalized with its biased variance σ² = 1/m Σ (a − μ)². What is remembered is meant for all data, and
/// takes the *unbiased* estimate from the batch (Ioffe & Szegedy 2015, Algorithm 2, line 10; PyTorch does so, too):
///
/// ```text
/// running mean     ← (1 − momentum) · running mean     + momentum · μ
/// running variance ← (1 − momentum) · running variance + momentum · m/(m − 1) · σ²
/// ```
///
/// One example has no variance. A batch of one is still answered, with its own μ and σ² = 0, so that each unit gives
/// β; but it leaves both averages as they are.
#[derive(Clone, Debug)]
pub struct Net {
    /// W, `[d, h]`.
    pub weights: Table,
    /// γ and β, `[h]` each.
    pub gain: Vec<f64>,
    pub bias: Vec<f64>,
    /// v, `[h]`.
    pub readout: Vec<f64>,
    /// The weight of the new batch.
    pub momentum: f64,
    /// `[h]` each; a new net has mean 0 and variance 1.
    pub running_mean: Vec<f64>,
    pub running_variance: Vec<f64>,
}

impl Net {
    /// One pass over `data [n, d]` in training mode, in batches of `batch_size` rows; the last batch has what is left.
    /// A number for each row.
    pub fn epoch(&mut self, data: &Table, batch_size: usize) -> Vec<f64> {
        let mut outputs = Vec::new();
        for start in (0..data.rows).step_by(batch_size) {
            outputs.extend(self.train(&data.slice(start, data.rows.min(start + batch_size))));
        }
        outputs
    }

    /// A number for each row of `inputs`, with the running statistics.
    pub fn evaluate(&self, inputs: &Table) -> Vec<f64> {
        self.outputs(&inputs.times(&self.weights), &self.running_mean, &self.running_variance)
    }

    fn train(&mut self, inputs: &Table) -> Vec<f64> {
        let summed = inputs.times(&self.weights);
        let mean = summed.means();
        let variance = summed.variances(&mean);
        // SOLUTION remember the unbiased variance, of batches that have one
        if inputs.rows > 1 {
            let factor = inputs.rows as f64 / (inputs.rows as f64 - 1.0);
            for unit in 0..summed.columns {
                self.running_mean[unit] += self.momentum * (mean[unit] - self.running_mean[unit]);
                self.running_variance[unit] += self.momentum * (factor * variance[unit] - self.running_variance[unit]);
            }
        }
        // STARTER
        //| for unit in 0..summed.columns {
        //|     self.running_mean[unit] += self.momentum * (mean[unit] - self.running_mean[unit]);
        //|     self.running_variance[unit] += self.momentum * (variance[unit] - self.running_variance[unit]);
        //| }
        // END
        self.outputs(&summed, &mean, &variance)
    }

    fn outputs(&self, summed: &Table, mean: &[f64], variance: &[f64]) -> Vec<f64> {
        let hidden = summed.map(|unit, value| {
            (self.gain[unit] * (value - mean[unit]) / (variance[unit] + EPSILON).sqrt() + self.bias[unit]).max(0.0)
        });
        hidden.times_vector(&self.readout)
    }
}
