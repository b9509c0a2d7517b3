//! What one step that is too large does to the activations (Bjorck et al. 2018, arXiv:1806.02375, §3).

use candle_core::{DType, Result, Tensor};
use normbook::net::{Net, Place};
use normbook::norm::Pass;
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook::train::optimizer::{Optimizer, OptimizerKind};
use normbook::train::training::Snapshot;
use normbook_lab::trial::{Outcome, RunContext, Series, Trace, Trial};
use normbook_ops::cross_entropy::cross_entropy;
use serde::Serialize;
use std::collections::BTreeMap;

/// Growth, in the step, of the standard deviation of what the first layer's linear map gives.
pub const FIRST: &str = "growth_of_first";
/// Growth of the logits' standard deviation in the step.
pub const LOGITS: &str = "growth_of_logits";

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

    /// Besides the training's: series `growth` over layers, the standard deviation of what each layer's linear map
    /// gives, after the step over before it; values `growth_of_first` and `growth_of_logits`, of the first and the
    /// last, and the batch's loss (nats) `loss_before` and `loss_after`. All with the batch's statistics. A training
    /// that diverged has grown by the largest number of f32.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let mut trace = self.training.train(TrainOptions::default(), context, &mut (), |(), snapshot, trace| {
            if snapshot.step < self.training.steps {
                return Ok(());
            }
            let (growth, [before, after]) = self.growth(snapshot)?;
            trace.values.extend([("loss_before".into(), before), ("loss_after".into(), after)]);
            trace.values.extend(growth.first().map(|first| (FIRST.into(), *first)));
            trace.values.extend(growth.last().map(|last| (LOGITS.into(), *last)));
            let x = (1..=growth.len()).map(|layer| layer as f64).collect();
            trace.series.insert("growth".into(), Series { x, y: growth });
            Ok(())
        })?;
        if trace.outcome != Outcome::Finished {
            trace.values.extend([FIRST, LOGITS].map(|name| (name.into(), f64::from(f32::MAX))));
        }
        Ok(trace)
    }
}

impl LargeStep {
    /// By layer, and the loss before and after.
    fn growth(&self, snapshot: &Snapshot) -> Result<(Vec<f64>, [f64; 2])> {
        let batch = snapshot.train.narrow(0, self.training.batch_size)?;
        let parameters = snapshot.net.parameters();
        let before: Vec<Tensor> = parameters.iter().map(|parameter| parameter.copy()).collect::<Result<_>>()?;
        let deviations_before = deviations(snapshot.net, &batch.inputs)?;
        let loss_of = |net: &dyn Net| cross_entropy(&net.forward(&batch.inputs, Pass::PROBE)?, batch.classes()?);
        let scalar = |loss: &Tensor| Ok::<_, candle_core::Error>(f64::from(loss.to_scalar::<f32>()?));
        let loss = loss_of(snapshot.net)?;
        let learning_rate = self.factor * self.training.learning_rate;
        Optimizer::new(OptimizerKind::Sgd, parameters.clone(), learning_rate)?.step(&loss.backward()?)?;
        let deviations_after = deviations(snapshot.net, &batch.inputs)?;
        let losses = [scalar(&loss)?, scalar(&loss_of(snapshot.net)?)?];
        for (parameter, before) in parameters.iter().zip(&before) {
            parameter.set(before)?;
        }
        Ok((deviations_after.iter().zip(deviations_before).map(|(after, before)| after / before).collect(), losses))
    }
}

/// Of what each layer's linear map gives, before any normalization, over all examples and units: after a normalization
/// the standard deviation would be γ, whatever the step.
fn deviations(net: &dyn Net, images: &Tensor) -> Result<Vec<f64>> {
    let mut deviations = Vec::new();
    net.forward_watched(images, Pass::PROBE, &mut |_, place, tensor| {
        if place == Place::Mapped {
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
    use candle_core::Device;
    use normbook::norm::NormKind;
    use normbook::testing::classifier;
    use normbook_lab::seed::Seed;

    #[test]
    fn the_step_is_taken_back() {
        for norm in [NormKind::None, NormKind::BATCH] {
            let training = classifier(norm);
            let looked =
                LargeStep { training: training.clone(), factor: 100.0 }.run_alone(Seed(2), &Device::Cpu).unwrap();
            let plain = training.run_alone(Seed(2), &Device::Cpu).unwrap();
            assert_eq!(
                (&looked.series["train_loss"], looked.values["test_accuracy"]),
                (&plain.series["train_loss"], plain.values["test_accuracy"])
            );
            assert_eq!(looked.series["growth"].x, [1.0, 2.0]);
            assert!(looked.values["growth_of_logits"] > 2.0, "{norm}");
        }
    }

    #[test]
    fn a_diverged_training_has_grown_without_bound() {
        let training = Classifier { learning_rate: 1e30, ..classifier(NormKind::None) };
        let trace = LargeStep { training, factor: 1.0 }.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert_ne!(trace.outcome, Outcome::Finished);
        assert_eq!(trace.values[LOGITS], f64::from(f32::MAX));
    }

    #[test]
    fn no_step_no_growth() {
        let trace =
            LargeStep { training: classifier(NormKind::None), factor: 1e-12 }.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!((trace.values["growth_of_logits"] - 1.0).abs() < 1e-6);
        assert_eq!(trace.values["loss_before"], trace.values["loss_after"]);
    }
}
