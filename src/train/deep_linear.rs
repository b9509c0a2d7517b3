//! Training the deep linear network of Santurkar et al. 2018 (arXiv:1805.11604, appendix A): min ½ Σ ‖W_1 … W_k x − A
//! x‖², with x and A of independent standard normal values, by gradient descent on all examples at once.
//!
//! The paper does not say whether the loss is a sum or a mean, nor of the ½: the sum with ½ begins where its Fig. 10
//! begins, at some 5 · 10⁴, and goes with its learning rate of 10⁻⁶. Scaling the loss is scaling the learning rate.

use super::optimizer::{Optimizer, OptimizerKind};
use super::training::{Order, Snapshot, Target, Training};
use crate::data::dataset::{Split, Targets};
use crate::net::{
    Net,
    deep_linear::DeepLinearNet,
    layer::{Init, Weights},
};
use crate::norm::NormKind;
use candle_core::Result;
use normbook_lab::seed::Purpose;
use normbook_lab::trial::{RunContext, SAMPLES_PER_DECADE, Trace, Trial};
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

impl Trial for DeepLinear {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Series `train_loss` over steps; `target` reached; value `final_train_loss`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        self.train(context, &mut (), |(), _, _| Ok(()))
    }
}

impl DeepLinear {
    /// Trains the network, observed as in [`Training::run`]; its test examples are its training examples.
    pub fn train<S: Serialize + DeserializeOwned>(
        &self,
        context: &RunContext,
        state: &mut S,
        observe: impl FnMut(&mut S, &Snapshot, &mut Trace) -> Result<()>,
    ) -> Result<Trace> {
        let RunContext { seed, device, .. } = *context;
        let stream = &mut seed.stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device };
        let net = DeepLinearNet::new(self.layers, self.width, self.norm, init)?;
        let stream = &mut seed.stream(Purpose::Data, 0);
        let inputs = stream.normal_tensor((self.examples, self.width), 1.0, device)?;
        let targets = inputs.matmul(&stream.normal_tensor((self.width, self.width), 1.0, device)?)?;
        let examples = Split { inputs, targets: Targets::Values(targets) };
        let training = Training {
            net: &net,
            optimizer: Optimizer::new(OptimizerKind::Sgd, net.parameters(), self.learning_rate)?,
            train: examples.clone(),
            test: examples,
            order: Order::All,
            target: Target::Loss { at_most: self.target_loss },
            steps: self.steps,
            samples_per_decade: SAMPLES_PER_DECADE,
            last_looks: 1,
        };
        training.run(context, state, observe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook_lab::seed::Seed;
    use normbook_lab::trial::{FINAL_LOSS, Outcome, StepsToTarget, TARGET};

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
