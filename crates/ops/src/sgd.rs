//! One step of stochastic gradient descent in place, as PyTorch's `SGD`: with weight decay λ and momentum μ,
//! v ← μ v + (g + λ w), w ← w − η v.

use super::{
    array::values,
    element::{Element, vectorized},
    kernels::Kernels,
};
use candle_core::{
    CpuStorage, DType, InplaceOp2, InplaceOp3, Layout, Result, Tensor, Var, backend::BackendStorage as _, bail,
};

/// The constants of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// η.
    pub learning_rate: f64,
    /// μ: how much of the velocity is kept.
    pub momentum: f64,
    /// λ: the gradient of ½ λ ‖w‖².
    pub weight_decay: f64,
}

/// Moves `weight` by one step along `gradient`. `velocity` is v, of the same shape, all zero before the first step; it is
/// there exactly if there is momentum.
pub fn step(weight: &Var, gradient: &Tensor, velocity: Option<&Tensor>, step: Step) -> Result<()> {
    if weight.dims() != gradient.dims() {
        bail!("sgd: a weight {:?} with a gradient {:?}", weight.dims(), gradient.dims());
    }
    if velocity.is_some() != (step.momentum != 0.0) {
        bail!("sgd: momentum {} {} velocity", step.momentum, if velocity.is_some() { "with a" } else { "without a" });
    }
    if let Some(velocity) = velocity
        && velocity.dims() != weight.dims()
    {
        bail!("sgd: a weight {:?} with a velocity {:?}", weight.dims(), velocity.dims());
    }
    match Kernels::of(weight)? {
        Kernels::Composed => step_composed(weight, gradient, velocity, step),
        Kernels::Fused => step_fused(weight, gradient, velocity, step),
    }
}

pub fn step_composed(weight: &Var, gradient: &Tensor, velocity: Option<&Tensor>, step: Step) -> Result<()> {
    let decayed = (gradient + (weight.as_detached_tensor() * step.weight_decay)?)?;
    let moved = match velocity {
        Some(velocity) => {
            let next = ((velocity * step.momentum)? + decayed)?;
            velocity.flatten_all()?.slice_set(&next.flatten_all()?, 0, 0)?;
            next
        }
        None => decayed,
    };
    weight.set(&(weight.as_detached_tensor() - (moved * step.learning_rate)?)?)
}

pub fn step_fused(weight: &Var, gradient: &Tensor, velocity: Option<&Tensor>, step: Step) -> Result<()> {
    let gradient = gradient.contiguous()?;
    match velocity {
        Some(velocity) => {
            velocity.inplace_op3(&gradient, weight, &Accumulate(step))?;
            weight.inplace_op2(velocity, &Descend { learning_rate: step.learning_rate, weight_decay: 0.0 })
        }
        None => {
            let Step { learning_rate, weight_decay, .. } = step;
            weight.inplace_op2(&gradient, &Descend { learning_rate, weight_decay })
        }
    }
}

/// w ← w − η (g + λ w).
struct Descend {
    learning_rate: f64,
    weight_decay: f64,
}

impl Descend {
    fn run<T: Element>(&self, weight: &mut CpuStorage, l1: &Layout, gradient: &CpuStorage, l2: &Layout) -> Result<()> {
        let (rate, decay) = (T::from_f64(self.learning_rate), T::from_f64(self.weight_decay));
        let gradient = values::<T>(gradient, l2)?;
        let weight = values_mut::<T>(weight, l1)?;
        vectorized(|| {
            for (weight, gradient) in weight.iter_mut().zip(gradient) {
                *weight = *weight - rate * (*gradient + decay * *weight);
            }
        });
        Ok(())
    }
}

impl InplaceOp2 for Descend {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn cpu_fwd(&self, weight: &mut CpuStorage, l1: &Layout, gradient: &CpuStorage, l2: &Layout) -> Result<()> {
        match gradient.dtype() {
            DType::F32 => self.run::<f32>(weight, l1, gradient, l2),
            _ => self.run::<f64>(weight, l1, gradient, l2),
        }
    }
}

/// v ← μ v + (g + λ w).
struct Accumulate(Step);

impl Accumulate {
    fn run<T: Element>(&self, velocity: (&mut CpuStorage, &Layout), [gradient, weight]: [&[T]; 2]) -> Result<()> {
        let (momentum, decay) = (T::from_f64(self.0.momentum), T::from_f64(self.0.weight_decay));
        let velocity = values_mut::<T>(velocity.0, velocity.1)?;
        vectorized(|| {
            for ((velocity, gradient), weight) in velocity.iter_mut().zip(gradient).zip(weight) {
                *velocity = momentum * *velocity + (*gradient + decay * *weight);
            }
        });
        Ok(())
    }
}

impl InplaceOp3 for Accumulate {
    fn name(&self) -> &'static str {
        "sgd_velocity"
    }

    fn cpu_fwd(
        &self,
        velocity: &mut CpuStorage,
        l1: &Layout,
        gradient: &CpuStorage,
        l2: &Layout,
        weight: &CpuStorage,
        l3: &Layout,
    ) -> Result<()> {
        match gradient.dtype() {
            DType::F32 => self.run::<f32>((velocity, l1), [values(gradient, l2)?, values(weight, l3)?]),
            _ => self.run::<f64>((velocity, l1), [values(gradient, l2)?, values(weight, l3)?]),
        }
    }
}

fn values_mut<'a, T: Element>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [T]> {
    let Some((start, end)) = layout.contiguous_offsets() else { bail!("sgd: a weight that is not contiguous") };
    match T::values_mut(storage) {
        Some(values) => Ok(&mut values[start..end]),
        None => bail!("sgd: weight and gradient differ in dtype"),
    }
}
