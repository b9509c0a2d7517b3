//! The optimizers by name. What is added to a loss for the weights'
//! sake, or done to its gradient, belongs to the rule, as only weights and gradients are needed.

use super::{adam::Adam, adaptive_clipping::AdaptiveClipping, spectral_penalty::SpectralPenalty};
use candle_core::{Result, Tensor, Var, backprop::GradStore};
use normbook_ops::sgd;
use serde::{Deserialize, Serialize};

/// Which rule turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// w ← w − η ∇w: gradient descent, stochastic or not.
    Sgd,
    /// See [`Adam`].
    Adam,
    /// SGD on the loss + λ/2 Σ ‖W‖²: weight decay, of weights alone and not of biases, γ and β.
    Decay(f64),
    /// SGD on the loss + λ/2 Σ σ(W)², see [`SpectralPenalty`].
    SpectralPenalty(f64),
    /// SGD on gradients of at most λ in parts of the weights, see [`AdaptiveClipping`].
    Clipped(f64),
}

/// A rule at work on some parameters.
pub enum Optimizer {
    Sgd(Sgd),
    Adam(Adam),
    Decay(Sgd, f64),
    SpectralPenalty(Sgd, SpectralPenalty),
    Clipped(Sgd, AdaptiveClipping),
}

impl Optimizer {
    pub fn new(rule: OptimizerKind, parameters: Vec<Var>, learning_rate: f64) -> Result<Self> {
        let sgd =
            |parameters| Sgd::new(parameters, sgd::Hyperparameters { learning_rate, momentum: 0.0, weight_decay: 0.0 });
        Ok(match rule {
            OptimizerKind::Sgd => Self::Sgd(sgd(parameters)?),
            OptimizerKind::Decay(lambda) => Self::Decay(sgd(parameters)?, lambda),
            OptimizerKind::SpectralPenalty(lambda) => {
                let penalty = SpectralPenalty::new(lambda, parameters.iter().map(|parameter| parameter.as_tensor()))?;
                Self::SpectralPenalty(sgd(parameters)?, penalty)
            }
            OptimizerKind::Clipped(clipping) => {
                let clipping = AdaptiveClipping::new(clipping, &parameters);
                Self::Clipped(sgd(parameters)?, clipping)
            }
            OptimizerKind::Adam => Self::Adam(Adam::new(parameters, learning_rate)?),
        })
    }

    /// What moves besides the parameters.
    pub fn state(&self) -> Vec<Var> {
        match self {
            Self::Adam(adam) => adam.state(),
            Self::SpectralPenalty(_, penalty) => penalty.state(),
            // Without momentum there is nothing.
            Self::Sgd(_) | Self::Decay(..) | Self::Clipped(..) => Vec::new(),
        }
    }

    /// One step along the gradients of the loss.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        match self {
            Self::Sgd(sgd) => sgd.step(gradients),
            Self::Adam(adam) => adam.step(gradients),
            Self::Decay(sgd, lambda) => sgd.step_along(gradients, |_, weight, gradient| {
                if weight.rank() < 2 { Ok(gradient) } else { gradient + (weight.as_detached_tensor() * *lambda)? }
            }),
            Self::SpectralPenalty(sgd, penalty) => {
                sgd.step_along(gradients, |index, weight, gradient| penalty.add(index, weight, gradient))
            }
            Self::Clipped(sgd, clipping) => {
                sgd.step_along(gradients, |index, weight, gradient| clipping.clip(index, weight, gradient))
            }
        }
    }
}

/// Stochastic gradient descent with momentum and weight decay.
pub struct Sgd {
    parameters: Vec<Var>,
    /// One for each parameter, if there is momentum.
    velocities: Option<Vec<Tensor>>,
    step: sgd::Hyperparameters,
}

impl Sgd {
    pub fn new(parameters: Vec<Var>, step: sgd::Hyperparameters) -> Result<Self> {
        let zeros = || parameters.iter().map(|parameter| parameter.zeros_like()).collect::<Result<_>>();
        let velocities = (step.momentum != 0.0).then(zeros).transpose()?;
        Ok(Self { parameters, velocities, step })
    }

    /// Moves every parameter that has a gradient.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        self.step_along(gradients, |_, _, gradient| Ok(gradient))
    }

    /// The same along what `change` makes of each gradient, which it is told with the parameter and its place.
    fn step_along(
        &mut self,
        gradients: &GradStore,
        mut change: impl FnMut(usize, &Var, Tensor) -> Result<Tensor>,
    ) -> Result<()> {
        for (index, parameter) in self.parameters.iter().enumerate() {
            if let Some(gradient) = gradients.get(parameter) {
                let gradient = change(index, parameter, gradient.clone())?;
                let velocity = self.velocities.as_ref().map(|velocities| &velocities[index]);
                sgd::step(parameter, &gradient, velocity, self.step)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    /// The weight after each of three steps on ½w² from w = 1: a vector, or the weight of a first layer.
    fn path(rule: OptimizerKind, learning_rate: f64) -> Vec<f64> {
        path_of(&[1], rule, learning_rate)
    }

    fn path_of(dims: &[usize], rule: OptimizerKind, learning_rate: f64) -> Vec<f64> {
        let one = || Var::ones(dims, DType::F64, &Device::Cpu).unwrap();
        let weight = one();
        let mut optimizer = Optimizer::new(rule, vec![weight.clone(), one()], learning_rate).unwrap();
        let mut step = || {
            let loss = (weight.sqr().unwrap().sum_all().unwrap() * 0.5).unwrap();
            optimizer.step(&loss.backward().unwrap()).unwrap();
            weight.flatten_all().unwrap().to_vec1::<f64>().unwrap()[0]
        };
        vec![step(), step(), step()]
    }

    #[test]
    fn sgd_takes_the_gradient_times_the_learning_rate() {
        assert_eq!(path(OptimizerKind::Sgd, 0.5), [0.5, 0.25, 0.125]);
    }

    /// Stored trials are keyed by these: they never change.
    #[test]
    fn what_records_say() {
        let json = |rule| serde_json::to_string(&rule).unwrap();
        assert_eq!([json(OptimizerKind::Sgd), json(OptimizerKind::Adam)], [r#""sgd""#, r#""adam""#]);
    }

    /// Of a weight of one value, σ is its size, so that the penalty is decay; a vector has neither.
    #[test]
    fn penalties_shrink_weights_alone() {
        for rule in [OptimizerKind::Decay(0.5), OptimizerKind::SpectralPenalty(0.5)] {
            for (found, expected) in path_of(&[1, 1], rule, 0.5).into_iter().zip([0.25, 0.0625, 0.015625]) {
                assert!((found - expected).abs() < 1e-12, "{rule:?}: {found}");
            }
            assert_eq!(path_of(&[1], rule, 0.5), path(OptimizerKind::Sgd, 0.5));
        }
    }

    #[test]
    fn a_clipped_step_is_a_part_of_the_weight() {
        for (found, expected) in
            path_of(&[1, 1], OptimizerKind::Clipped(0.1), 0.5).into_iter().zip([0.95, 0.9025, 0.857375])
        {
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
    }

    /// Algorithm 1 of the paper, recomputed.
    #[test]
    fn adam_is_the_papers_algorithm() {
        let (rate, beta1, beta2, epsilon) = (0.1, 0.9, 0.999, 1e-8);
        let (mut weight, mut first, mut second) = (1.0f64, 0.0, 0.0);
        for (step, found) in path(OptimizerKind::Adam, rate).into_iter().enumerate() {
            let time = step as i32 + 1;
            first = beta1 * first + (1.0 - beta1) * weight;
            second = beta2 * second + (1.0 - beta2) * weight * weight;
            let first_hat = first / (1.0 - f64::powi(beta1, time));
            let second_hat: f64 = second / (1.0 - f64::powi(beta2, time));
            weight -= rate * first_hat / (second_hat.sqrt() + epsilon);
            assert!((found - weight).abs() < 1e-12, "step {time}: {found} {weight}");
        }
    }
}
