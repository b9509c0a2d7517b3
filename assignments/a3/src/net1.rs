//! Net 1: one hidden layer. In training it does all that it should; in evaluation it is no better than guessing.

use crate::{EPSILON, table::Table};

/// `x [m, d] → x W [m, h] → batch normalization → ReLU → · v`, a number for each example.
///
/// In training mode the layer normalizes with the batch's own statistics, and the running ones move a part of the way
/// towards them, for every unit:
///
/// ```text
/// running ← (1 − momentum) · running + momentum · batch
/// ```
///
/// once with the batch's mean, once with its biased variance σ² (without ε). In evaluation mode it normalizes with the
/// running statistics and changes nothing.
#[derive(Clone, Debug)]
pub struct Net {
    /// W, `[d, h]`.
    pub weights: Table,
    /// γ and β, `[h]` each.
    pub gain: Vec<f64>,
    pub bias: Vec<f64>,
    /// v, `[h]`.
    pub readout: Vec<f64>,
    /// The weight of the new batch, as in PyTorch.
    pub momentum: f64,
    /// `[h]` each; a new net has mean 0 and variance 1.
    pub running_mean: Vec<f64>,
    pub running_variance: Vec<f64>,
}

impl Net {
    /// A number for each row of `inputs`.
    pub fn forward(&mut self, inputs: &Table, training: bool) -> Vec<f64> {
        let summed = inputs.times(&self.weights);
        let (mean, variance) = if training {
            let mean = summed.means();
            let variance = summed.variances(&mean);
            // SOLUTION follow() has to move the net's own statistics, no copies of them
            follow(&mut self.running_mean, &mean, self.momentum);
            follow(&mut self.running_variance, &variance, self.momentum);
            // STARTER
            //| follow(self.running_mean.clone(), &mean, self.momentum);
            //| follow(self.running_variance.clone(), &variance, self.momentum);
            // END
            (mean, variance)
        } else {
            (self.running_mean.clone(), self.running_variance.clone())
        };
        let hidden = summed.map(|unit, value| {
            let normalized = (value - mean[unit]) / (variance[unit] + EPSILON).sqrt();
            (self.gain[unit] * normalized + self.bias[unit]).max(0.0)
        });
        hidden.times_vector(&self.readout)
    }
}

/// Moves each running value a part of the way towards the batch's.
// SOLUTION take the running values by mutable reference
fn follow(running: &mut [f64], batch: &[f64], momentum: f64) {
    for (old, new) in running.iter_mut().zip(batch) {
        *old = (1.0 - momentum) * *old + momentum * new;
    }
}
// STARTER
//| fn follow(mut running: Vec<f64>, batch: &[f64], momentum: f64) {
//|     for (old, new) in running.iter_mut().zip(batch) {
//|         *old = (1.0 - momentum) * *old + momentum * new;
//|     }
//| }
// END
