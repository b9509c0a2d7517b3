//! A trained classifier on test images of other contrasts (Ulyanov, Vedaldi & Lempitsky 2016, arXiv:1607.08022).

use candle_core::Result;
use normbook::data::dataset::Split;
use normbook::train::accuracy::{TEST_ACCURACY, accuracy};
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook::train::training::Snapshot;
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial.
#[derive(Clone, Serialize)]
pub struct Contrast {
    pub training: Classifier,
    /// Factors of the standardised test images.
    pub contrasts: Vec<f64>,
}

/// The name of the accuracy that is lost at a contrast: that at contrast 1, less that there.
pub fn lost_at(contrast: f64) -> String {
    format!("lost_at_contrast_{contrast}")
}

impl Trial for Contrast {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: series `accuracy_by_contrast`, and a value [`lost_at`] each. A run that diverged has
    /// neither.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let mut trace = self.training.train(TrainOptions::default(), context, &mut (), |(), snapshot, trace| {
            if snapshot.step == self.training.steps {
                trace.series.insert("accuracy_by_contrast".into(), self.curve(snapshot)?);
            }
            Ok(())
        })?;
        if let Some(curve) = trace.series.get("accuracy_by_contrast") {
            let right = trace.values[TEST_ACCURACY];
            let lost: Vec<_> = curve.x.iter().zip(&curve.y).map(|(x, y)| (lost_at(*x), right - y)).collect();
            trace.values.extend(lost);
        }
        Ok(trace)
    }
}

impl Contrast {
    fn curve(&self, snapshot: &Snapshot) -> Result<Series> {
        let right = |contrast: &f64| {
            let part = Split { inputs: (&snapshot.test.inputs * *contrast)?, targets: snapshot.test.targets.clone() };
            accuracy(snapshot.net, &part)
        };
        Ok(Series { x: self.contrasts.clone(), y: self.contrasts.iter().map(right).collect::<Result<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::net::convolutional::Stage::{Convolution, Pool};
    use normbook::testing::classifier;
    use normbook::train::classifier::Architecture;
    use normbook_lab::seed::Seed;

    /// Behind an instance normalization no contrast is left but for ε; behind the moving averages of BatchNorm there
    /// is.
    #[test]
    fn instance_normalization_does_not_see_contrast() {
        let lost = |norm: &str| {
            let mut training = classifier(norm.parse().unwrap());
            training.architecture = Architecture::Convolutional(&[Convolution(4), Pool]);
            training.steps = 40;
            Contrast { training, contrasts: vec![0.25, 1.0] }.run_alone(Seed(0), &Device::Cpu).unwrap().values
        };
        let (instance, batch) = (lost("instance"), lost("batch"));
        assert_eq!((instance[&lost_at(1.0)], batch[&lost_at(1.0)]), (0.0, 0.0));
        assert!(instance[&lost_at(0.25)].abs() < 0.01 && batch[&lost_at(0.25)] > 0.02, "{instance:?} {batch:?}");
    }
}
