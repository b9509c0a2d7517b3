//! Net 2: two hidden layers. In evaluation the answer to an example depends on who else is in the batch.

use crate::{EPSILON, table::Table};

/// A batch normalization of `h` units with its memory, as a layer of its own.
///
/// In training mode it normalizes with the batch's mean and biased variance and moves its running statistics by
/// `running ← (1 − momentum) · running + momentum · batch`; in evaluation mode it normalizes with the running
/// statistics and changes nothing.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// γ and β, `[h]` each.
    pub gain: Vec<f64>,
    pub bias: Vec<f64>,
    pub momentum: f64,
    /// `[h]` each; mean 0 and variance 1 at first.
    pub running_mean: Vec<f64>,
    pub running_variance: Vec<f64>,
    /// The mode of this layer.
    pub training: bool,
}

impl BatchNorm {
    fn forward(&mut self, summed: &Table) -> Table {
        let (mut mean, mut variance) = (self.running_mean.clone(), self.running_variance.clone());
        if self.training {
            mean = summed.means();
            variance = summed.variances(&mean);
            for unit in 0..summed.columns {
                self.running_mean[unit] += self.momentum * (mean[unit] - self.running_mean[unit]);
                self.running_variance[unit] += self.momentum * (variance[unit] - self.running_variance[unit]);
            }
        }
        summed.map(|unit, value| {
            self.gain[unit] * (value - mean[unit]) / (variance[unit] + EPSILON).sqrt() + self.bias[unit]
        })
    }
}

/// `x [m, d] → W₁ → batch normalization → tanh → W₂ → batch normalization → tanh → · v`, a number for each example.
#[derive(Clone, Debug)]
pub struct Net {
    /// W₁ `[d, h₁]` and W₂ `[h₁, h₂]`.
    pub weights: [Table; 2],
    pub norms: [BatchNorm; 2],
    /// v, `[h₂]`.
    pub readout: Vec<f64>,
}

impl Net {
    /// Puts the whole net into training mode or into evaluation mode, until it is called again.
    pub fn set_training(&mut self, training: bool) {
        // SOLUTION both layers have a mode
        for norm in &mut self.norms {
            norm.training = training;
        }
        // STARTER
        //| self.norms[0].training = training;
        // END
    }

    /// A number for each row of `inputs`, in the mode that was set last.
    pub fn forward(&mut self, inputs: &Table) -> Vec<f64> {
        let mut hidden = inputs.clone();
        for (weights, norm) in self.weights.iter().zip(&mut self.norms) {
            hidden = norm.forward(&hidden.times(weights)).map(|_, value| value.tanh());
        }
        hidden.times_vector(&self.readout)
    }
}
