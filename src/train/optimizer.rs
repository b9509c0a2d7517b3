//! The optimizers by name: gradient descent by our own kernel, Adam from candle-nn.

use crate::ops::sgd;
use candle_core::{Result, Tensor, Var, backprop::GradStore};
use candle_nn::optim::{AdamW, Optimizer as _, ParamsAdamW};
use serde::{Deserialize, Serialize};

/// Which rule turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// w ← w − η ∇w: gradient descent, stochastic or not.
    Sgd,
    /// Adam (Kingma & Ba 2015, alg. 1) with β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸.
    Adam,
}

/// A rule at work on some parameters.
pub enum Optimizer {
    Sgd(Sgd),
    Adam(AdamW),
}

impl Optimizer {
    pub fn new(rule: Rule, parameters: Vec<Var>, learning_rate: f64) -> Result<Self> {
        Ok(match rule {
            Rule::Sgd => {
                Self::Sgd(Sgd::new(parameters, sgd::Step { learning_rate, momentum: 0.0, weight_decay: 0.0 })?)
            }
            Rule::Adam => {
                // AdamW without weight decay is Adam.
                let settings = ParamsAdamW { lr: learning_rate, weight_decay: 0.0, ..ParamsAdamW::default() };
                Self::Adam(AdamW::new(parameters, settings)?)
            }
        })
    }

    /// One step along the gradients.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        match self {
            Self::Sgd(sgd) => sgd.step(gradients),
            Self::Adam(adam) => adam.step(gradients),
        }
    }
}

/// Stochastic gradient descent with momentum and weight decay.
pub struct Sgd {
    parameters: Vec<Var>,
    /// One for each parameter, if there is momentum.
    velocities: Option<Vec<Tensor>>,
    step: sgd::Step,
}

impl Sgd {
    pub fn new(parameters: Vec<Var>, step: sgd::Step) -> Result<Self> {
        let zeros = || parameters.iter().map(|parameter| parameter.zeros_like()).collect::<Result<_>>();
        let velocities = (step.momentum != 0.0).then(zeros).transpose()?;
        Ok(Self { parameters, velocities, step })
    }

    /// Moves every parameter that has a gradient.
    pub fn step(&mut self, gradients: &GradStore) -> Result<()> {
        for (index, parameter) in self.parameters.iter().enumerate() {
            if let Some(gradient) = gradients.get(parameter) {
                let velocity = self.velocities.as_ref().map(|velocities| &velocities[index]);
                sgd::step(parameter, gradient, velocity, self.step)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    /// The weight after each of three steps on ½w² from w = 1.
    fn path(rule: Rule, learning_rate: f64) -> Vec<f64> {
        let weight = Var::from_tensor(&Tensor::new(&[1.0f64], &Device::Cpu).unwrap()).unwrap();
        let mut optimizer = Optimizer::new(rule, vec![weight.clone()], learning_rate).unwrap();
        let mut step = || {
            let loss = (weight.sqr().unwrap().sum_all().unwrap() * 0.5).unwrap();
            optimizer.step(&loss.backward().unwrap()).unwrap();
            weight.to_vec1::<f64>().unwrap()[0]
        };
        vec![step(), step(), step()]
    }

    #[test]
    fn sgd_takes_the_gradient_times_the_learning_rate() {
        assert_eq!(path(Rule::Sgd, 0.5), [0.5, 0.25, 0.125]);
    }

    /// Algorithm 1 of the paper, recomputed.
    #[test]
    fn adam_is_the_papers_algorithm() {
        let (rate, beta1, beta2, epsilon) = (0.1, 0.9, 0.999, 1e-8);
        let (mut weight, mut first, mut second) = (1.0f64, 0.0, 0.0);
        for (step, found) in path(Rule::Adam, rate).into_iter().enumerate() {
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
