//! How much the logits of one example depend on the other examples of its batch.

use candle_core::{Result, Tensor};
use normbook::data::dataset::Split;
use normbook::net::Net;
use normbook::norm::Pass;
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: trains a classifier, then passes test examples in training mode, each in many batches of training
/// examples.
#[derive(Clone, Serialize)]
pub struct BatchSpread {
    pub training: Classifier,
    pub batch_sizes: Vec<usize>,
    /// Test examples that are looked at.
    pub examples: usize,
    /// Batches that each is put into.
    pub draws: usize,
}

impl Trial for BatchSpread {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: series `logit_deviation` over batch sizes, the standard deviation of an example's logits
    /// over its batches (root mean square over logits and examples), and `changed_answers`, the part of the batches in
    /// which the largest logit is another than in evaluation; both also as values, `.._at_N`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        self.training.train(TrainOptions::default(), context, &mut (), |(), snapshot, trace| {
            if snapshot.step < self.training.steps {
                return Ok(());
            }
            let (mut deviations, mut changes) = (Series::default(), Series::default());
            for size in &self.batch_sizes {
                let (deviation, changed) =
                    self.spread(snapshot.net, (snapshot.train, snapshot.test), *size, snapshot.seed)?;
                for (series, name, value) in
                    [(&mut deviations, "logit_deviation", deviation), (&mut changes, "changed_answers", changed)]
                {
                    series.x.push(*size as f64);
                    series.y.push(value);
                    trace.values.insert(format!("{name}_at_{size}"), value);
                }
            }
            trace.series.extend([("logit_deviation".into(), deviations), ("changed_answers".into(), changes)]);
            Ok(())
        })
    }
}

impl BatchSpread {
    fn spread(&self, net: &dyn Net, (train, test): (&Split, &Split), size: usize, seed: Seed) -> Result<(f64, f64)> {
        let (mut squares, mut logits_seen, mut changed) = (0.0, 0.0, 0.0);
        for example in 0..self.examples {
            let image = test.inputs.narrow(0, example, 1)?;
            let answer = largest(&net.forward(&image, Pass::EVAL)?.get(0)?.to_vec1()?);
            let mut stream = seed.branch(example as u64).stream(Purpose::Probe, size as u64);
            let logits: Vec<Vec<f32>> = (0..self.draws)
                .map(|_| {
                    let company = &stream.permutation(train.len())[..size - 1];
                    let batch = Tensor::cat(&[&image, &train.select(company)?.inputs], 0)?;
                    net.forward(&batch, Pass::PROBE)?.get(0)?.to_vec1()
                })
                .collect::<Result<_>>()?;
            changed += logits.iter().filter(|logits| largest(logits) != answer).count() as f64;
            for logit in 0..logits[0].len() {
                squares += variance(logits.iter().map(|logits| f64::from(logits[logit])));
                logits_seen += 1.0;
            }
        }
        Ok(((squares / logits_seen).sqrt(), changed / (self.examples * self.draws) as f64))
    }
}

/// Unbiased.
fn variance(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    values.map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)
}

fn largest(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::norm::NormKind;
    use normbook::testing::classifier;

    fn trial(norm: NormKind) -> BatchSpread {
        BatchSpread { training: classifier(norm), batch_sizes: vec![2, 32], examples: 5, draws: 6 }
    }

    #[test]
    fn only_the_batch_moves_the_logits() {
        let spread = |norm| trial(norm).run_alone(Seed(0), &Device::Cpu).unwrap();
        let batch = spread(NormKind::BATCH);
        assert!(batch.values["logit_deviation_at_2"] > batch.values["logit_deviation_at_32"]);
        let none = spread(NormKind::None);
        assert!(none.values["logit_deviation_at_2"] < 1e-5 && none.values["changed_answers_at_2"] == 0.0);
    }

    #[test]
    fn looking_changes_nothing() {
        let trial = trial(NormKind::BATCH);
        let (mut looked, plain) =
            (trial.run_alone(Seed(1), &Device::Cpu).unwrap(), trial.training.run_alone(Seed(1), &Device::Cpu).unwrap());
        looked.values.retain(|name, _| plain.values.contains_key(name));
        looked.series.retain(|name, _| plain.series.contains_key(name));
        assert_eq!(looked, plain);
    }
}
