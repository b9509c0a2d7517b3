//! Training the deep linear network of Santurkar et al. 2018 (arXiv:1805.11604, appendix A): min ½ Σ ‖W_1 … W_k x − A x‖², with
//! x and A of independent standard normal values, by gradient descent on all examples at once.
//!
//! The paper does not say whether the loss is a sum or a mean, nor of the ½: the sum with ½ begins where its Fig. 10
//! begins, at some 5 · 10⁴, and goes with its learning rate of 10⁻⁶. Scaling the loss is scaling the learning rate.

use super::checkpoint::Checkpoint;
use super::optimizer::{Optimizer, OptimizerKind};
use crate::net::{
    Net,
    deep_linear::DeepLinearNet,
    layer::{Init, Weights},
};
use crate::norm::{NormKind, Pass};
use candle_core::{Result, Tensor};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{
    FINAL_LOSS, Outcome, RunContext, SAMPLES_PER_DECADE, Series, StepsToTarget, TARGET, Trace, Trial, sample_steps,
};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// The trial: initial weights, x and A come from the seed, the rest stands here.
#[derive(Clone, Debug, Serialize)]
pub struct DeepLinear {
    pub layers: usize,
    pub width: usize,
    pub examples: usize,
    pub norm: NormKind,
    pub learning_rate: f64,
    pub steps: u64,
    /// Training loss that counts as trained.
    pub target_loss: f64,
}

/// A moment of the training, for who wants to look on.
pub struct LinearMoment<'a> {
    /// Steps taken.
    pub step: u64,
    pub net: &'a dyn Net,
    /// x, `[N, width]`.
    pub inputs: &'a Tensor,
    /// A x, `[N, width]`.
    pub targets: &'a Tensor,
    pub seed: Seed,
}

impl Trial for DeepLinear {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Series `train_loss` over steps; `target` reached; value `final_train_loss`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        self.run_watched(context, &mut (), |(), _| Ok(()))
    }
}

/// ½ Σ ‖prediction − target‖² over the batch.
pub fn half_squares(predictions: &Tensor, targets: &Tensor) -> Result<Tensor> {
    (predictions - targets)?.sqr()?.sum_all()? * 0.5
}

impl DeepLinear {
    /// The same, and at each step `watch` may look at the net. It must leave the net as it found it, and all that it depends on
    /// must be in what it has `seen`.
    pub fn run_watched<S: Serialize + DeserializeOwned>(
        &self,
        context: &RunContext,
        seen: &mut S,
        mut watch: impl FnMut(&mut S, &LinearMoment) -> Result<()>,
    ) -> Result<Trace> {
        let RunContext { seed, device, .. } = *context;
        let stream = &mut seed.stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device };
        let net = DeepLinearNet::new(self.layers, self.width, self.norm, init)?;
        let stream = &mut seed.stream(Purpose::Data, 0);
        let inputs = stream.normal_tensor((self.examples, self.width), 1.0, device)?;
        let targets = inputs.matmul(&stream.normal_tensor((self.width, self.width), 1.0, device)?)?;
        let mut optimizer = Optimizer::new(OptimizerKind::Sgd, net.parameters(), self.learning_rate)?;
        let checkpoint = Checkpoint::new(context, &net, &optimizer, self.steps);
        let mut trace = Trace::default();
        let mut curve = Series::default();
        let mut reached = StepsToTarget { step: None, budget: self.steps };
        let mut kept_at = None;
        if let Some((step, noted)) = checkpoint.resume()? {
            (kept_at, (curve, reached, *seen)) = (Some(step), noted);
        }
        let samples = sample_steps(self.steps, SAMPLES_PER_DECADE);
        for step in kept_at.unwrap_or(0)..=self.steps {
            if kept_at != Some(step) {
                watch(seen, &LinearMoment { step, net: &net, inputs: &inputs, targets: &targets, seed })?;
            }
            checkpoint.keep_if_time(step, &(&curve, reached, &*seen))?;
            let loss = half_squares(&net.forward(&inputs, Pass::train(step, seed))?, &targets)?;
            let value = f64::from(loss.to_scalar::<f32>()?);
            if !value.is_finite() {
                trace.outcome = Outcome::Diverged { step };
                break;
            }
            if samples.binary_search(&step).is_ok() {
                curve.x.push(step as f64);
                curve.y.push(value);
            }
            if reached.step.is_none() && value <= self.target_loss {
                reached.step = Some(step);
            }
            if step < self.steps {
                optimizer.step(&loss.backward()?)?;
            }
        }
        if trace.outcome == Outcome::Finished {
            trace.values.extend(curve.y.last().map(|loss| (FINAL_LOSS.into(), *loss)));
        }
        trace.series.insert("train_loss".into(), curve);
        trace.reached.insert(TARGET.into(), reached);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn trial(norm: NormKind, learning_rate: f64, steps: u64) -> DeepLinear {
        DeepLinear { layers: 25, width: 10, examples: 1000, norm, learning_rate, steps, target_loss: 3e4 }
    }

    /// E ‖Ax‖² is 100, that of a Glorot net's output 10: half of both, a thousand times.
    #[test]
    fn the_loss_begins_where_the_papers_does_and_falls() {
        for norm in [NormKind::None, NormKind::BATCH] {
            let trace = trial(norm, 1e-6, 150).run_alone(Seed(0), &Device::Cpu).unwrap();
            let curve = &trace.series["train_loss"].y;
            assert!(3e4 < curve[0] && curve[0] < 1e5, "{norm}: {}", curve[0]);
            assert!(trace.values[FINAL_LOSS] < 0.9 * curve[0], "{norm}: {curve:?}");
        }
    }

    #[test]
    fn divergence_is_a_result() {
        let trace = trial(NormKind::None, 1.0, 20).run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!(matches!(trace.outcome, Outcome::Diverged { step } if step > 0));
        assert_eq!(trace.reached[TARGET], StepsToTarget { step: None, budget: 20 });
    }
}
