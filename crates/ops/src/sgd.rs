//! One step of stochastic gradient descent in place, as PyTorch's `SGD`. With momentum μ, weight decay λ and learning
//! rate η: v ← μ v + (g + λ w), w ← w − η v.

use super::{
    array::{values, values_mut},
    element::Element,
    implementation::Implementation,
    vector::vectorized,
};
use candle_core::{
    CpuStorage, DType, InplaceOp2, InplaceOp3, Layout, Result, Tensor, Var, backend::BackendStorage as _, bail,
};

/// The constants of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyperparameters {
    /// η.
    pub learning_rate: f64,
    /// μ, the factor by which the velocity decays.
    pub momentum: f64,
    /// λ, the factor of ½ ‖w‖² in the loss.
    pub weight_decay: f64,
}

/// Moves `weight` by one step along `gradient`. `velocity` is v, all zeros before the first step; all have one shape.
/// Errors on shapes that differ, on momentum without a velocity, and on a velocity without momentum.
pub fn step(
    weight: &Var,
    gradient: &Tensor,
    velocity: Option<&Tensor>,
    hyperparameters: Hyperparameters,
) -> Result<()> {
    let momentum = hyperparameters.momentum;
    for (name, other) in [("gradient", Some(gradient)), ("velocity", velocity)] {
        if let Some(other) = other
            && other.dims() != weight.dims()
        {
            bail!("sgd: the {name} is {:?}; it must have the weight's shape, {:?}", other.dims(), weight.dims());
        }
    }
    match velocity {
        None if momentum != 0.0 => bail!("sgd: momentum is {momentum} and there is no velocity; pass one"),
        Some(_) if momentum == 0.0 => bail!("sgd: momentum is 0 and there is a velocity; pass none"),
        _ => {}
    }
    match Implementation::of(weight)? {
        Implementation::Composed => step_composed(weight, gradient, velocity, hyperparameters),
        Implementation::Fused => step_fused(weight, gradient, velocity, hyperparameters),
    }
}

/// Does [`step`] by its definition.
pub fn step_composed(
    weight: &Var,
    gradient: &Tensor,
    velocity: Option<&Tensor>,
    hyperparameters: Hyperparameters,
) -> Result<()> {
    let Hyperparameters { learning_rate, momentum, weight_decay } = hyperparameters;
    let decayed = (gradient + (weight.as_detached_tensor() * weight_decay)?)?;
    let direction = match velocity {
        Some(velocity) => {
            let next = ((velocity * momentum)? + decayed)?;
            velocity.flatten_all()?.slice_set(&next.flatten_all()?, 0, 0)?;
            next
        }
        None => decayed,
    };
    weight.set(&(weight.as_detached_tensor() - (direction * learning_rate)?)?)
}

/// Does [`step`] without temporary tensors.
pub fn step_fused(
    weight: &Var,
    gradient: &Tensor,
    velocity: Option<&Tensor>,
    hyperparameters: Hyperparameters,
) -> Result<()> {
    let gradient = gradient.contiguous()?;
    let Hyperparameters { learning_rate, momentum, weight_decay } = hyperparameters;
    match velocity {
        Some(velocity) => {
            velocity.inplace_op3(&gradient, weight, &UpdateVelocity { momentum, weight_decay })?;
            weight.inplace_op2(velocity, &UpdateWeight { learning_rate, weight_decay: 0.0 })
        }
        None => weight.inplace_op2(&gradient, &UpdateWeight { learning_rate, weight_decay }),
    }
}

/// w ← w − η (g + λ w).
struct UpdateWeight {
    learning_rate: f64,
    weight_decay: f64,
}

impl UpdateWeight {
    fn apply<T: Element>(&self, weight: &mut [T], gradient: &[T]) {
        let (rate, decay) = (T::from_f64(self.learning_rate), T::from_f64(self.weight_decay));
        vectorized(|| {
            for (weight, gradient) in weight.iter_mut().zip(gradient) {
                *weight = *weight - rate * (*gradient + decay * *weight);
            }
        });
    }
}

impl InplaceOp2 for UpdateWeight {
    fn name(&self) -> &'static str {
        "sgd_weight"
    }

    fn cpu_fwd(&self, weight: &mut CpuStorage, l1: &Layout, gradient: &CpuStorage, l2: &Layout) -> Result<()> {
        match gradient.dtype() {
            DType::F32 => self.apply::<f32>(values_mut(weight, l1)?, values(gradient, l2)?),
            _ => self.apply::<f64>(values_mut(weight, l1)?, values(gradient, l2)?),
        }
        Ok(())
    }
}

/// v ← μ v + (g + λ w).
struct UpdateVelocity {
    momentum: f64,
    weight_decay: f64,
}

impl UpdateVelocity {
    fn apply<T: Element>(&self, velocity: &mut [T], gradient: &[T], weight: &[T]) {
        let (momentum, decay) = (T::from_f64(self.momentum), T::from_f64(self.weight_decay));
        vectorized(|| {
            for ((velocity, gradient), weight) in velocity.iter_mut().zip(gradient).zip(weight) {
                *velocity = momentum * *velocity + (*gradient + decay * *weight);
            }
        });
    }
}

impl InplaceOp3 for UpdateVelocity {
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
            DType::F32 => self.apply::<f32>(values_mut(velocity, l1)?, values(gradient, l2)?, values(weight, l3)?),
            _ => self.apply::<f64>(values_mut(velocity, l1)?, values(gradient, l2)?, values(weight, l3)?),
        }
        Ok(())
    }
}
