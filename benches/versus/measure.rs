//! Training steps, on threads of their own.

use super::work::{Architecture, Batch, Work};
use anyhow::{Context, Result};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};
use candle_nn::loss::mse;
use normbook::net::Net;
use normbook::norm::Pass;
use normbook::train::optimizer::{Optimizer, OptimizerKind};
use normbook_ops::cross_entropy::cross_entropy;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A net in training and the threads that it may use.
pub struct Trial {
    training: Training,
    pool: ThreadPool,
}

impl Trial {
    pub fn new(work: Work, threads: usize, learning_rate: f64) -> Result<Self> {
        Ok(Self { training: Training::new(work, learning_rate)?, pool: pool(threads)? })
    }

    pub fn run(&mut self, steps: usize) -> Result<()> {
        let Self { training, pool } = self;
        pool.install(|| (0..steps).try_for_each(|_| training.step()))
    }

    /// Of the last step.
    pub fn loss(&self) -> Result<f32> {
        self.training.loss()
    }
}

pub fn pool(threads: usize) -> Result<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")
}

struct Training {
    net: Box<dyn Net>,
    batch: Batch,
    objective: Objective,
    optimizer: Optimizer,
    /// What the last step gave: the loss, or the inputs' gradient.
    result: Option<Tensor>,
}

#[derive(Clone, Copy)]
enum Objective {
    CrossEntropy,
    MeanSquaredError,
    /// No loss: the inputs' gradient is wanted where the targets are the outputs'. The mean of their product takes the
    /// loss's place, as it is wrong if the gradient is.
    Pullback,
}

impl Training {
    fn new(work: Work, learning_rate: f64) -> Result<Self> {
        let net = work.net()?;
        let objective = match work.net {
            Architecture::DeepLinear => Objective::MeanSquaredError,
            Architecture::BatchNorm2d => Objective::Pullback,
            _ => Objective::CrossEntropy,
        };
        let optimizer = Optimizer::new(OptimizerKind::Sgd, net.parameters(), learning_rate)?;
        Ok(Self { net, batch: work.batch()?, objective, optimizer, result: None })
    }

    fn step(&mut self) -> Result<()> {
        self.result = None;
        let Batch { inputs, targets } = &self.batch;
        let outputs = self.net.forward(inputs, Pass::TRAIN)?;
        let loss = match self.objective {
            Objective::CrossEntropy => cross_entropy(&outputs, targets)?,
            Objective::MeanSquaredError => mse(&outputs, targets)?,
            Objective::Pullback => outputs.apply_op1(Against(targets.clone()))?,
        };
        drop(outputs);
        let gradients = loss.backward()?;
        self.optimizer.step(&gradients)?;
        self.result = match self.objective {
            Objective::Pullback => gradients.get(inputs).cloned(),
            _ => Some(loss.detach()),
        };
        Ok(())
    }

    fn loss(&self) -> Result<f32> {
        let result = self.result.as_ref().context("no step was taken")?;
        Ok(match self.objective {
            Objective::Pullback => {
                (result * &self.batch.targets)?.to_dtype(DType::F64)?.mean_all()?.to_dtype(DType::F32)?.to_scalar()?
            }
            _ => result.to_scalar()?,
        })
    }
}

/// Hands an upstream gradient to the tensor it is applied to.
struct Against(Tensor);

impl CustomOp1 for Against {
    fn name(&self) -> &'static str {
        "against"
    }

    /// The value is not asked for.
    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![0.0]), Shape::from(())))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor) -> candle_core::Result<Option<Tensor>> {
        Ok(Some(self.0.clone()))
    }
}
