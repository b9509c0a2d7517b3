//! The loss of a net on one batch, as a training step sees it: what probes take gradients of and walk over.

use crate::data::dataset::Split;
use crate::net::Net;
use crate::norm::Pass;
use crate::train::loss::loss;
use candle_core::{DType, Result, Tensor, Var, backprop::GradStore};
use normbook_lab::seed::Seed;

/// A net, a batch, and the pass with its noise.
pub struct Objective<'a> {
    net: &'a dyn Net,
    batch: &'a Split,
    pass: Pass,
}

/// A loss with its gradient by each of the net's parameters.
pub struct Slope {
    pub loss: f64,
    pub gradients: Vec<Tensor>,
}

impl<'a> Objective<'a> {
    /// As the training step `step` of the trial `seed` sees it: batch statistics and the same noise, but nothing moves.
    pub fn new(net: &'a dyn Net, batch: &'a Split, step: u64, seed: Seed) -> Self {
        Self { net, batch, pass: Pass::probe(step, seed) }
    }

    pub fn net(&self) -> &'a dyn Net {
        self.net
    }

    fn tensor(&self) -> Result<Tensor> {
        loss(&self.net.forward(&self.batch.inputs, self.pass)?, &self.batch.targets)
    }

    pub fn loss(&self) -> Result<f64> {
        self.tensor()?.to_dtype(DType::F64)?.to_scalar()
    }

    pub fn gradients(&self) -> Result<GradStore> {
        self.tensor()?.backward()
    }

    pub fn slope(&self) -> Result<Slope> {
        let loss = self.tensor()?;
        let found = loss.backward()?;
        let of = |parameter: &Var| found.get(parameter).cloned().map_or_else(|| parameter.zeros_like(), Ok);
        let gradients = self.net.parameters().iter().map(of).collect::<Result<_>>()?;
        Ok(Slope { loss: loss.to_dtype(DType::F64)?.to_scalar()?, gradients })
    }
}

/// A net's parameters as they were, to be moved and put back.
pub struct Position {
    parameters: Vec<Var>,
    before: Vec<Tensor>,
}

impl Position {
    pub fn of(parameters: Vec<Var>) -> Result<Self> {
        let before = parameters.iter().map(|parameter| parameter.as_detached_tensor().copy()).collect::<Result<_>>()?;
        Ok(Self { parameters, before })
    }

    /// W ← W before − `by` · direction.
    pub fn step(&self, direction: &[Tensor], by: f64) -> Result<()> {
        for ((parameter, before), direction) in self.parameters.iter().zip(&self.before).zip(direction) {
            parameter.set(&(before - (direction * by)?)?)?;
        }
        Ok(())
    }

    /// Puts them back, to the bit.
    pub fn restore(&self) -> Result<()> {
        self.parameters.iter().zip(&self.before).try_for_each(|(parameter, before)| parameter.set(before))
    }
}

/// Σ a b over all tensors of two lists.
pub fn dot(one: &[Tensor], other: &[Tensor]) -> Result<f64> {
    let of_pair = |(a, b): (&Tensor, &Tensor)| -> Result<f64> {
        (a.to_dtype(DType::F64)? * b.to_dtype(DType::F64)?)?.sum_all()?.to_scalar()
    };
    one.iter().zip(other).map(of_pair).sum()
}

/// The length of a list of tensors taken as one vector.
pub fn norm(tensors: &[Tensor]) -> Result<f64> {
    Ok(dot(tensors, tensors)?.sqrt())
}

/// ‖a − b‖.
pub fn distance(one: &[Tensor], other: &[Tensor]) -> Result<f64> {
    norm(&one.iter().zip(other).map(|(a, b)| a - b).collect::<Result<Vec<_>>>()?)
}
