//! Moving averages of a layer's statistics, for evaluation, and the statistics of its newest batch.

use candle_core::{DType, Device, Result, Tensor, Var};
use std::sync::{Mutex, PoisonError};

/// Mean and variance of each channel, `[C]` each.
#[derive(Clone, Debug)]
pub struct Moments {
    pub mean: Tensor,
    pub variance: Tensor,
}

/// The averages of one layer.
pub struct Running {
    /// `[C]`, starts at 0.
    mean: Var,
    /// `[C]`, starts at 1.
    variance: Var,
    newest: Mutex<Option<Moments>>,
}

impl Running {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        let (mean, variance) = (Var::zeros(channels, dtype, device)?, Var::ones(channels, dtype, device)?);
        Ok(Self { mean, variance, newest: Mutex::new(None) })
    }

    /// The averages as they are now; they do not move with the layer.
    pub fn moments(&self) -> Result<Moments> {
        Ok(Moments {
            mean: self.mean.as_detached_tensor().copy()?,
            variance: self.variance.as_detached_tensor().copy()?,
        })
    }

    /// Both, as they move.
    pub fn state(&self) -> Vec<Var> {
        vec![self.mean.clone(), self.variance.clone()]
    }

    /// Puts other statistics in their place: those of the whole training set, or of another momentum.
    pub fn set(&self, moments: &Moments) -> Result<()> {
        self.mean.set(&moments.mean)?;
        self.variance.set(&moments.variance)
    }

    /// Moves the averages towards a batch, which weighs `momentum`.
    pub fn track(&self, batch: Moments, momentum: f64) -> Result<()> {
        let toward = |average: &Var, new: &Tensor| {
            average.set(&((average.as_detached_tensor() * (1.0 - momentum))? + (new * momentum)?)?)
        };
        toward(&self.mean, &batch.mean)?;
        toward(&self.variance, &batch.variance)?;
        self.saw(batch);
        Ok(())
    }

    /// Notes the statistics of a batch without moving the averages.
    pub fn saw(&self, batch: Moments) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
    }

    /// Of the newest batch that was normalized by its own statistics: mean and unbiased variance.
    pub fn newest(&self) -> Option<Moments> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
