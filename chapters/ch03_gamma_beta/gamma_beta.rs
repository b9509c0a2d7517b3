//! A classifier in training, with an eye on γ and β and on how much of its activation's curve it uses.

use super::affine;
use super::linearity::{HiddenLayer, accuracy_with_lines, hidden_layers, nonlinear_share};
use candle_core::Result;
use normbook::norm::{NormKind, batch::Affine};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook::train::classifier::{Architecture, Classifier, TrainOptions};
use normbook::train::training::Snapshot;
use normbook_lab::trial::{RunContext, Series, Trace, Trial, sample_steps};
use serde::Serialize;
use std::collections::BTreeMap;

/// The test accuracy at the first point of the curve from a tenth of the steps on, on the curve's examples.
pub const EARLY_ACCURACY: &str = "early_test_accuracy";
/// The test accuracy with lines in place of the activations, fitted at the end.
pub const LINES_ACCURACY: &str = "test_accuracy_with_lines";
/// What the lines leave of the variance of all hidden units.
pub const NONLINEAR_SHARE: &str = "nonlinear_share";

/// The same of one hidden layer, counted from 1.
pub fn layer_share(layer: usize) -> String {
    format!("{NONLINEAR_SHARE}_layer_{layer}")
}

/// Points of the curves in every factor of ten of the steps.
const LOOKS_PER_DECADE: u32 = 6;
/// The histogram of z: bins of this width up to this value either way.
const BIN: f64 = 0.25;
const BINS_TO: f64 = 8.0;

/// The trial: the classifier's training, which the measurements do not change.
#[derive(Clone, Serialize)]
pub struct GammaBeta {
    pub classifier: Classifier,
    /// Training images that the lines of an MLP's units are fitted on.
    pub fitted_examples: usize,
}

impl Trial for GammaBeta {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.classifier.data()
    }

    /// What the classifier leaves, and `early_test_accuracy`; series of the percentiles of γ and β, see
    /// [`affine::note`]. Of an MLP also the series `nonlinear_share` over steps and `input_density` (of z at the end,
    /// over all hidden units), the values `nonlinear_share`, `nonlinear_share_layer_1` … and
    /// `test_accuracy_with_lines`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let affine = match self.classifier.hidden.norm {
            NormKind::Batch(config) => config.affine,
            _ => Affine::Neither,
        };
        let steps = self.classifier.steps;
        let looks = sample_steps(steps, LOOKS_PER_DECADE);
        let mut trace = self.classifier.train(TrainOptions::default(), context, &mut (), |(), snapshot, trace| {
            if looks.binary_search(&snapshot.step).is_err() {
                return Ok(());
            }
            affine::note(affine, snapshot, trace)?;
            match self.classifier.architecture {
                Architecture::Mlp(_) => self.note_lines(snapshot, trace),
                Architecture::Convolutional(_) | Architecture::Recurrent(_) => Ok(()),
            }
        })?;
        let curve = &trace.series[TEST_ACCURACY];
        let early = curve.x.iter().position(|step| *step >= steps as f64 / 10.0);
        if let Some(accuracy) = early.map(|index| curve.y[index]) {
            trace.values.insert(EARLY_ACCURACY.into(), accuracy);
        }
        Ok(trace)
    }
}

impl GammaBeta {
    fn note_lines(&self, snapshot: &Snapshot, trace: &mut Trace) -> Result<()> {
        let fitted = snapshot.train.narrow(0, self.fitted_examples.min(snapshot.train.len()))?;
        let layers = hidden_layers(snapshot.net, &fitted.inputs)?;
        let share = nonlinear_share(layers.iter().flat_map(|layer| &layer.lines));
        let curve = trace.series.entry(NONLINEAR_SHARE.into()).or_default();
        curve.x.push(snapshot.step as f64);
        curve.y.push(share);
        if snapshot.step == self.classifier.steps {
            trace.values.insert(NONLINEAR_SHARE.into(), share);
            for (index, layer) in layers.iter().enumerate() {
                trace.values.insert(layer_share(index + 1), nonlinear_share(layer.lines.iter()));
            }
            trace.values.insert(LINES_ACCURACY.into(), accuracy_with_lines(snapshot.net, &layers, snapshot.test)?);
            trace.series.insert("input_density".into(), density(&layers));
        }
        Ok(())
    }
}

/// The histogram of all z, whose area with what lies beyond it is 1.
fn density(layers: &[HiddenLayer]) -> Series {
    let bins = (2.0 * BINS_TO / BIN) as usize;
    let (mut counts, mut all) = (vec![0.0; bins], 0.0);
    for z in layers.iter().flat_map(|layer| layer.input.iter().flatten()) {
        all += 1.0;
        let bin = ((f64::from(*z) + BINS_TO) / BIN).floor();
        if (0.0..bins as f64).contains(&bin) {
            counts[bin as usize] += 1.0;
        }
    }
    let centre = |bin: usize| -BINS_TO + (bin as f64 + 0.5) * BIN;
    Series { x: (0..bins).map(centre).collect(), y: counts.iter().map(|count| count / (all * BIN)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::data::{dataset::Dataset, fashion_mnist::Files};
    use normbook::net::layer::{Activation, BlockConfig, Weights};
    use normbook::train::optimizer::OptimizerKind;
    use normbook_lab::seed::Seed;

    fn trial(norm: &str) -> GammaBeta {
        let classifier = Classifier {
            data: Dataset::new(&Files::embedded()).unwrap(),
            architecture: Architecture::Mlp(vec![12, 10]),
            hidden: BlockConfig::new(norm.parse().unwrap(), Activation::Sigmoid),
            weights: Weights::Glorot,
            rule: OptimizerKind::Sgd,
            learning_rate: 0.5,
            batch_size: 30,
            steps: 20,
            target_accuracy: 0.6,
            curve_examples: 100,
        };
        GammaBeta { classifier, fitted_examples: 200 }
    }

    /// The measurements add to the trace and leave the training's own numbers as they were, bit for bit.
    #[test]
    fn who_looks_changes_nothing() {
        for norm in ["none", "batch"] {
            let trial = trial(norm);
            let plain = trial.classifier.run_alone(Seed(3), &Device::Cpu).unwrap();
            let looked = trial.run_alone(Seed(3), &Device::Cpu).unwrap();
            for (name, value) in &plain.values {
                assert_eq!(looked.values[name], *value, "{name}");
            }
            for (name, series) in &plain.series {
                assert_eq!(looked.series[name], *series, "{name}");
            }
        }
    }

    #[test]
    fn what_is_learned_moves_and_the_rest_is_not_noted() {
        for (norm, learned) in [("batch", 2), ("batch:gamma", 1), ("batch:beta", 1), ("batch:plain", 0), ("none", 0)] {
            let trace = trial(norm).run_alone(Seed(0), &Device::Cpu).unwrap();
            let noted: Vec<_> = trace.series.iter().filter(|(name, _)| name.contains("_layer_")).collect();
            assert_eq!(noted.len(), learned * 2 * affine::PERCENTILES.len(), "{norm}");
            for (name, series) in noted {
                assert_eq!(series.y[0], f64::from(u8::from(name.starts_with("gamma"))), "{norm}: {name}");
                assert_ne!(series.y.last(), series.y.first(), "{norm}: {name}");
            }
        }
    }

    /// Without γ and β, z of each unit has mean 0 and standard deviation 1 up to the running averages' lag.
    #[test]
    fn the_density_is_that_of_the_inputs() {
        let trace = trial("batch:plain").run_alone(Seed(0), &Device::Cpu).unwrap();
        let Series { x, y } = &trace.series["input_density"];
        let snapshot = |power: i32| x.iter().zip(y).map(|(z, density)| z.powi(power) * density * BIN).sum::<f64>();
        assert!((snapshot(0) - 1.0).abs() < 1e-3 && snapshot(1).abs() < 0.2 && (snapshot(2) - 1.0).abs() < 0.3);
        assert!(trace.values["nonlinear_share_layer_1"] < 0.05 && trace.values[NONLINEAR_SHARE] > 0.001);
        assert!(trace.values[LINES_ACCURACY] > 0.1);
    }
}
