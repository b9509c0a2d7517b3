//! A small net on a table, by gradient descent on the whole training set: how many steps to a target loss?

use crate::data::{
    dataset::{Split, Targets},
    standardize::{Preparation, Preparer},
    tabular::{Features, Table},
};
use crate::net::{
    Net,
    layer::{Activation, BlockConfig, Init, Weights},
    mlp::Mlp,
};
use crate::norm::NormKind;
use crate::train::accuracy::{TEST_ACCURACY, accuracy};
use crate::train::optimizer::{Optimizer, OptimizerKind};
use crate::train::training::{Order, Target, Training};
use candle_core::{Device, Result, Tensor};
use nalgebra::DMatrix;
use normbook_fingerprint::sha256;
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{Outcome, RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// Points of a loss curve in every factor of ten of the steps.
const SAMPLES_PER_DECADE: u32 = 20;

/// The trial: the split and the initial weights come from the seed, the rest stands here.
#[derive(Clone, Debug, Serialize)]
pub struct TabularNet {
    pub table: Table,
    pub preparation: Preparation,
    /// Units of the one hidden layer.
    pub hidden: u64,
    pub rule: OptimizerKind,
    pub learning_rate: f64,
    pub steps: u64,
    /// Training loss (mean cross-entropy, nats) that counts as trained.
    pub target_loss: f64,
    /// Fraction of the examples that is held out for testing.
    pub test_fraction: f64,
}

impl Trial for TabularNet {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        [(self.table.path().to_owned(), sha256(self.table.bytes()))].into()
    }

    /// Series `train_loss` (nats) over steps; `target` reached; values `final_train_loss` and `test_accuracy`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let RunContext { seed, device, .. } = *context;
        let features = self.table.load();
        let (train, test) = self.split(&features, seed);
        let preparer = Preparer::fit(self.preparation, &rows(&features.values, &train));
        let examples = |chosen: &[usize]| -> Result<Split> {
            let classes: Vec<u32> = chosen.iter().map(|example| features.classes[*example] as u32).collect();
            let inputs = tensor(&preparer.apply(&rows(&features.values, chosen)), device)?;
            Ok(Split { inputs, targets: Targets::Classes(Tensor::from_vec(classes, chosen.len(), device)?) })
        };
        let kinds = features.classes.iter().max().map_or(0, |class| class + 1);
        let widths = [features.values.ncols(), self.hidden as usize, kinds];
        let stream = &mut seed.stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device };
        let net = Mlp::new(&widths, BlockConfig::new(NormKind::None, Activation::Relu), init)?;
        let training = Training {
            net: &net,
            optimizer: Optimizer::new(self.rule, net.parameters(), self.learning_rate)?,
            train: examples(&train)?,
            test: examples(&test)?,
            order: Order::All,
            target: Target::Loss { at_most: self.target_loss },
            steps: self.steps,
            samples_per_decade: SAMPLES_PER_DECADE,
            last_looks: 1,
        };
        let mut trace = training.run(context, &mut (), |(), _, _| Ok(()))?;
        if trace.outcome == Outcome::Finished {
            trace.values.insert(TEST_ACCURACY.into(), accuracy(&net, &examples(&test)?)?);
        }
        Ok(trace)
    }
}

impl TabularNet {
    /// Indices of the training and the test examples.
    fn split(&self, features: &Features, seed: Seed) -> (Vec<usize>, Vec<usize>) {
        let mut train = seed.stream(Purpose::Split, 0).permutation(features.classes.len());
        let tested = (self.test_fraction * train.len() as f64).round() as usize;
        let test = train.split_off(train.len() - tested);
        (train, test)
    }
}

fn rows(values: &DMatrix<f64>, examples: &[usize]) -> DMatrix<f64> {
    values.select_rows(examples)
}

/// `[N, D]` in f32.
fn tensor(values: &DMatrix<f64>, device: &Device) -> Result<Tensor> {
    let row_major: Vec<f32> = values.transpose().iter().map(|value| *value as f32).collect();
    Tensor::from_vec(row_major, (values.nrows(), values.ncols()), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook_lab::trial::{StepsToTarget, TARGET};

    fn net(preparation: Preparation, learning_rate: f64, steps: u64) -> TabularNet {
        TabularNet {
            table: Table::Wine,
            preparation,
            hidden: 16,
            rule: OptimizerKind::Sgd,
            learning_rate,
            steps,
            target_loss: 0.1,
            test_fraction: 0.25,
        }
    }

    #[test]
    fn it_learns_the_wines() {
        let trace = net(Preparation::Standardised, 0.5, 300).run_alone(Seed(0), &Device::Cpu).unwrap();
        assert_eq!(trace.outcome, Outcome::Finished);
        assert!(trace.reached[TARGET].step.is_some());
        assert!(trace.values["test_accuracy"] > 0.9, "{:?}", trace.values);
        let curve = &trace.series["train_loss"];
        assert_eq!((curve.x[0], *curve.x.last().unwrap()), (0.0, 300.0));
    }

    #[test]
    fn divergence_is_a_result() {
        let trace = net(Preparation::Raw, 1e30, 50).run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!(matches!(trace.outcome, Outcome::Diverged { step } if step > 0));
        assert_eq!(trace.reached[TARGET], StepsToTarget { step: None, budget: 50 });
        assert!(trace.values.is_empty());
    }

    #[test]
    fn arms_share_split_and_weights() {
        let features = Table::Wine.load();
        let split = |preparation| net(preparation, 0.1, 1).split(&features, Seed(3));
        let (train, test) = split(Preparation::Raw);
        assert_eq!((train.len(), test.len()), (133, 45));
        assert_eq!(split(Preparation::Standardised), (train, test));
    }
}
