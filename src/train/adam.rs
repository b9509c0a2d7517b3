//! Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), with the defaults it recommends:
//!
//! m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
//! m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
//! θ ← θ − η m̂ / (√v̂ + ε)
//!
//! The same numbers as candle-nn's `AdamW` without weight decay gives. That one hides m, v and t, so that a training
//! with it could not be kept on the way.

use candle_core::{DType, Device, Result, Tensor, Var, backprop::GradStore};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Adam at work on some parameters.
pub struct Adam {
    learning_rate: f64,
    moved: Vec<Moved>,
    /// t, a scalar.
    steps: Var,
}

struct Moved {
    parameter: Var,
    /// m and v, in the parameter's shape.
    first: Var,
    second: Var,
}

impl Adam {
    pub fn new(parameters: Vec<Var>, learning_rate: f64) -> Result<Self> {
        let steps = Var::zeros((), DType::F32, parameters.first().map_or(&Device::Cpu, |first| first.device()))?;
        let zeros = |like: &Var| Var::zeros(like.shape(), like.dtype(), like.device());
        let moved = |parameter: Var| Ok(Moved { first: zeros(&parameter)?, second: zeros(&parameter)?, parameter });
        Ok(Self { learning_rate, moved: parameters.into_iter().map(moved).collect::<Result<_>>()?, steps })
    }

    /// What moves besides the parameters.
    pub fn state(&self) -> Vec<Var> {
        let moments = self.moved.iter().flat_map(|moved| [moved.first.clone(), moved.second.clone()]);
        moments.chain([self.steps.clone()]).collect()
    }

    /// Moves every parameter that has a gradient.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        self.steps.set(&(self.steps.as_detached_tensor() + 1.0)?)?;
        let time = self.steps.to_scalar::<f32>()? as i32;
        let unbiased = |average: &Tensor, beta: f64| average * (1.0 / (1.0 - beta.powi(time)));
        for Moved { parameter, first, second } in &self.moved {
            let Some(gradient) = gradients.get(parameter) else { continue };
            first.set(&((first.as_detached_tensor() * BETA_1)? + (gradient * (1.0 - BETA_1))?)?)?;
            second.set(&((second.as_detached_tensor() * BETA_2)? + (gradient.sqr()? * (1.0 - BETA_2))?)?)?;
            let along = unbiased(&first.as_detached_tensor(), BETA_1)?;
            let size = (unbiased(&second.as_detached_tensor(), BETA_2)?.sqrt()? + EPSILON)?;
            parameter.set(&(parameter.as_detached_tensor() - ((along / size)? * self.learning_rate)?)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_nn::optim::{AdamW, Optimizer as _, ParamsAdamW};
    use normbook_lab::seed::{Purpose, Seed};

    /// To the bit, on a loss with curvatures of many sizes.
    #[test]
    fn it_is_candles_adam() {
        let stream = &mut Seed(0).stream(Purpose::Data, 0);
        let curvature = stream.normal_tensor((7, 5), 3.0, &Device::Cpu).unwrap().exp().unwrap();
        let start = stream.normal_tensor((7, 5), 1.0, &Device::Cpu).unwrap();
        let [ours, candles] = [(); 2].map(|()| Var::from_tensor(&start.copy().unwrap()).unwrap());
        let mut adam = Adam::new(vec![ours.clone()], 0.01).unwrap();
        let settings = ParamsAdamW { lr: 0.01, weight_decay: 0.0, ..ParamsAdamW::default() };
        let mut adam_w = AdamW::new(vec![candles.clone()], settings).unwrap();
        let gradients = |weight: &Var| {
            let loss = (weight.sqr().unwrap() * &curvature).unwrap().sum_all().unwrap();
            loss.backward().unwrap()
        };
        for step in 0..50 {
            adam.step(&gradients(&ours)).unwrap();
            adam_w.step(&gradients(&candles)).unwrap();
            let values = |weight: &Var| weight.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(values(&ours), values(&candles), "step {step}");
            assert_ne!(values(&ours), start.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        }
    }
}
