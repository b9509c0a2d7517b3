//! What one step that is too large does to the activations (Bjorck et al. 2018, arXiv:1806.02375, §3).

use crate::net::{Net, Place};
use crate::norm::Pass;
use crate::ops::cross_entropy::cross_entropy;
use crate::seed::Seed;
use crate::train::classifier::{Classifier, Moment};
use crate::train::optimizer::{Optimizer, Rule};
use crate::trial::{Series, Trace, Trial};
use candle_core::{DType, Device, Result, Tensor};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: trains a classifier, takes one step at a larger learning rate, looks, and takes it back.
#[derive(Clone, Serialize)]
pub struct LargeStep {
    pub training: Classifier,
    /// The large learning rate over the usual one.
    pub factor: f64,
}

impl Trial for LargeStep {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: series `growth` over layers, the deviation of what each hidden layer's activation is applied to, after
    /// the step over before it; value `growth_of_last`, of the last hidden layer.
    fn run(&self, seed: Seed, device: &Device) -> Result<Trace> {
        self.training.run_watched(seed, device, |moment, trace| {
            if moment.step < self.training.steps {
                return Ok(());
            }
            let growth = self.growth(moment)?;
            trace.values.extend(growth.last().map(|last| ("growth_of_last".into(), *last)));
            let x = (1..=growth.len()).map(|layer| layer as f64).collect();
            trace.series.insert("growth".into(), Series { x, y: growth });
            Ok(())
        })
    }
}

impl LargeStep {
    fn growth(&self, moment: &Moment) -> Result<Vec<f64>> {
        let batch = moment.train.narrow(0, self.training.batch_size)?;
        let parameters = moment.net.parameters();
        let before: Vec<Tensor> = parameters.iter().map(|parameter| parameter.copy()).collect::<Result<_>>()?;
        let deviations_before = deviations(moment.net, &batch.images)?;
        let loss = cross_entropy(&moment.net.forward(&batch.images, Pass::PROBE)?, &batch.classes)?;
        let learning_rate = self.factor * self.training.learning_rate;
        Optimizer::new(Rule::Sgd, parameters.clone(), learning_rate)?.step(&loss.backward()?)?;
        let deviations_after = deviations(moment.net, &batch.images)?;
        for (parameter, before) in parameters.iter().zip(&before) {
            parameter.set(before)?;
        }
        Ok(deviations_after.iter().zip(deviations_before).map(|(after, before)| after / before).collect())
    }
}

/// Of what each hidden layer's activation is applied to, over all examples and units.
fn deviations(net: &dyn Net, images: &Tensor) -> Result<Vec<f64>> {
    let hidden = net.layers().len() - 1;
    let mut deviations = Vec::new();
    net.forward_watched(images, Pass::PROBE, &mut |layer, place, tensor| {
        if layer < hidden && place == Place::BeforeActivation {
            let values = tensor.to_dtype(DType::F64)?;
            let centred = values.broadcast_sub(&values.mean_all()?)?;
            deviations.push(centred.sqr()?.mean_all()?.to_scalar::<f64>()?.sqrt());
        }
        Ok(())
    })?;
    Ok(deviations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::Kind;
    use crate::probe::fixture::classifier;

    #[test]
    fn the_step_is_taken_back() {
        for norm in [Kind::None, Kind::BATCH] {
            let training = classifier(norm);
            let looked = LargeStep { training: training.clone(), factor: 100.0 }.run(Seed(2), &Device::Cpu).unwrap();
            let plain = training.run(Seed(2), &Device::Cpu).unwrap();
            assert_eq!(
                (&looked.series["train_loss"], looked.values["test_accuracy"]),
                (&plain.series["train_loss"], plain.values["test_accuracy"])
            );
            let growth = looked.values["growth_of_last"];
            assert!(if norm == Kind::None { growth > 2.0 } else { growth < 10.0 }, "{norm}: {growth}");
        }
    }

    #[test]
    fn no_step_no_growth() {
        let trace = LargeStep { training: classifier(Kind::None), factor: 1e-12 }.run(Seed(0), &Device::Cpu).unwrap();
        assert!((trace.values["growth_of_last"] - 1.0).abs() < 1e-6);
    }
}
