//! Net 4: a net that is looked at while it trains. Whoever looks more often gets another net.

use crate::{EPSILON, table::Table};

/// With which statistics the net normalizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Training,
    Evaluation,
}

/// `x [m, d] → x W [m, h] → batch normalization → tanh → · v`, a number for each example.
///
/// The running statistics are the plain averages over all training batches so far (PyTorch's `momentum=None`). With t
/// the number of training batches, this one counted,
///
/// ```text
/// running ← running + (batch − running) / t
/// ```
///
/// for the mean and for the biased variance, so that the first batch replaces the mean 0 and variance 1 of a new net.
#[derive(Clone, Debug)]
pub struct Net {
    /// W, `[d, h]`.
    pub weights: Table,
    /// γ and β, `[h]` each.
    pub gain: Vec<f64>,
    pub bias: Vec<f64>,
    /// v, `[h]`.
    pub readout: Vec<f64>,
    /// t, the number of batches in the averages.
    pub batches: u64,
    /// `[h]` each.
    pub running_mean: Vec<f64>,
    pub running_variance: Vec<f64>,
}

impl Net {
    /// A number for each row of `inputs`. In training mode with the batch's own statistics, which enter the averages;
    /// in evaluation mode with the averages, which stay as they are.
    pub fn forward(&mut self, inputs: &Table, mode: Mode) -> Vec<f64> {
        let summed = inputs.times(&self.weights);
        if mode == Mode::Evaluation {
            return self.outputs(&summed, &self.running_mean, &self.running_variance);
        }
        let mean = summed.means();
        let variance = summed.variances(&mean);
        self.batches += 1;
        for unit in 0..summed.columns {
            self.running_mean[unit] += (mean[unit] - self.running_mean[unit]) / self.batches as f64;
            self.running_variance[unit] += (variance[unit] - self.running_variance[unit]) / self.batches as f64;
        }
        self.outputs(&summed, &mean, &variance)
    }

    /// A probe: the mean of ½ (output − target)² over the batch as training would see it now, that is with the batch's
    /// own statistics. A look is no step: the net goes on as if nobody had looked.
    pub fn training_loss(&mut self, inputs: &Table, targets: &[f64]) -> f64 {
        // SOLUTION keep what forward changes, and put it back
        let kept = (self.batches, self.running_mean.clone(), self.running_variance.clone());
        let outputs = self.forward(inputs, Mode::Training);
        (self.batches, self.running_mean, self.running_variance) = kept;
        // STARTER
        //| let outputs = self.forward(inputs, Mode::Training);
        // END
        let squares: f64 = outputs.iter().zip(targets).map(|(output, target)| (output - target).powi(2)).sum();
        squares / (2.0 * inputs.rows as f64)
    }

    fn outputs(&self, summed: &Table, mean: &[f64], variance: &[f64]) -> Vec<f64> {
        let hidden = summed.map(|unit, value| {
            (self.gain[unit] * (value - mean[unit]) / (variance[unit] + EPSILON).sqrt() + self.bias[unit]).tanh()
        });
        hidden.times_vector(&self.readout)
    }
}
