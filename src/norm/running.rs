//! Moving averages of a layer's statistics, for evaluation.

use candle_core::{DType, Device, Result, Tensor, Var};
use std::sync::{Mutex, PoisonError};

/// The moving average of one statistic, `[C]`.
pub struct MovingAverage(Var);

impl MovingAverage {
    /// Begins at `start`, `[C]`.
    pub fn new(start: Var) -> Self {
        Self(start)
    }

    /// Copies the average as it is now; later steps do not change the copy.
    pub fn value(&self) -> Result<Tensor> {
        self.0.as_detached_tensor().copy()
    }

    /// average ← (1 − momentum) · average + momentum · batch: `momentum` weighs the new batch, as in PyTorch.
    pub fn track(&self, batch: &Tensor, momentum: f64) -> Result<()> {
        self.0.set(&((self.0.as_detached_tensor() * (1.0 - momentum))? + (batch.detach() * momentum)?)?)
    }

    /// Replaces the average.
    pub fn set(&self, value: &Tensor) -> Result<()> {
        self.0.set(value)
    }

    /// Returns the variable itself, for [`Norm::state`](super::Norm::state).
    pub fn state(&self) -> Var {
        self.0.clone()
    }
}

/// Mean and variance of each channel, `[C]` each.
#[derive(Clone, Debug)]
pub struct Moments {
    pub mean: Tensor,
    pub variance: Tensor,
}

/// The moving averages of a batch normalization layer, and the statistics of its newest batch.
pub struct Running {
    /// Starts at 0.
    mean: MovingAverage,
    /// Starts at 1.
    variance: MovingAverage,
    newest: Mutex<Option<Moments>>,
}

impl Running {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        Ok(Self {
            mean: MovingAverage::new(Var::zeros(channels, dtype, device)?),
            variance: MovingAverage::new(Var::ones(channels, dtype, device)?),
            newest: Mutex::new(None),
        })
    }

    /// Copies the averages as they are now.
    pub fn moments(&self) -> Result<Moments> {
        Ok(Moments { mean: self.mean.value()?, variance: self.variance.value()? })
    }

    /// Returns both variables: mean, variance.
    pub fn state(&self) -> Vec<Var> {
        vec![self.mean.state(), self.variance.state()]
    }

    /// Replaces the averages, for example by the statistics of the whole training set.
    pub fn set(&self, moments: &Moments) -> Result<()> {
        self.mean.set(&moments.mean)?;
        self.variance.set(&moments.variance)
    }

    /// Moves the averages towards a batch, which weighs `momentum`, and notes it as the newest.
    pub fn track(&self, batch: Moments, momentum: f64) -> Result<()> {
        self.mean.track(&batch.mean, momentum)?;
        self.variance.track(&batch.variance, momentum)?;
        self.saw(batch);
        Ok(())
    }

    /// Notes the statistics of a batch without a change of the averages.
    pub fn saw(&self, batch: Moments) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
    }

    /// Returns mean and unbiased variance of the newest batch that was normalized by its own statistics.
    pub fn newest(&self) -> Option<Moments> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
