//! How the lengths of weight normalization's v move while a net trains (Salimans & Kingma 2016, arXiv:1602.07868,
//! §2.1).

use candle_core::{DType, Result};
use normbook::net::Net;
use normbook::norm::per_channel::lengths_of_units;
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook_lab::trial::{RunContext, SAMPLES_PER_DECADE, Series, Trace, Trial, sample_steps};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a length may lose by rounding in a step, in parts of it.
const ROUNDING: f64 = 1e-6;

/// The trial: trains a classifier and follows ‖v‖ of each hidden unit, or without weight normalization of its weights.
#[derive(Clone, Serialize)]
pub struct DirectionGrowth {
    pub training: Classifier,
}

/// What was seen so far.
#[derive(Default, Serialize, Deserialize)]
struct Seen {
    /// Lengths by unit, at the start and at the step before.
    start: Vec<f64>,
    last: Vec<f64>,
    /// Over steps and units: those that fall, and all.
    falls: f64,
    moves: f64,
    curve: Series,
}

impl Trial for DirectionGrowth {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: series `length` over steps, the mean of ‖v‖ over its start, values `share_of_falls`, of
    /// all steps and units those at which ‖v‖ falls by more than rounding, and `final_length`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let samples = sample_steps(self.training.steps, SAMPLES_PER_DECADE);
        let mut seen = Seen::default();
        let mut trace = self.training.train(TrainOptions::default(), context, &mut seen, |seen, snapshot, _| {
            let now = lengths(snapshot.net)?;
            let falls = now.iter().zip(&seen.last).filter(|(now, last)| **now < **last * (1.0 - ROUNDING));
            seen.falls += falls.count() as f64;
            seen.moves += seen.last.len() as f64;
            // A data-dependent start leaves v as it is, so that the first look is the start.
            if seen.start.is_empty() {
                seen.start.clone_from(&now);
            }
            if samples.binary_search(&snapshot.step).is_ok() {
                let ratios = now.iter().zip(&seen.start).map(|(now, start)| now / start);
                seen.curve.x.push(snapshot.step as f64);
                seen.curve.y.push(ratios.sum::<f64>() / now.len() as f64);
            }
            seen.last = now;
            Ok(())
        })?;
        let Seen { falls, moves, curve, .. } = seen;
        trace.values.insert("share_of_falls".into(), falls / moves);
        trace.values.extend(curve.y.last().map(|length| ("final_length".into(), *length)));
        trace.series.insert("length".into(), curve);
        Ok(trace)
    }
}

/// Of each unit of the hidden layers.
fn lengths(net: &dyn Net) -> Result<Vec<f64>> {
    let layers = net.layers();
    let mut lengths = Vec::new();
    for layer in &layers[..layers.len() - 1] {
        let weight = layer.weight().as_tensor().to_dtype(DType::F64)?;
        lengths.extend(lengths_of_units(&weight)?.to_vec1::<f64>()?);
    }
    Ok(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::testing::classifier;
    use normbook::train::optimizer::OptimizerKind;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::ended_and_resumed;

    #[test]
    fn it_goes_on_where_it_was_ended() {
        let probe = DirectionGrowth { training: classifier("weight".parse().unwrap()) };
        assert!(ended_and_resumed(&probe, Seed(0), 6) == probe.run_alone(Seed(0), &Device::Cpu).unwrap());
    }

    fn values(norm: &str, rule: OptimizerKind) -> BTreeMap<String, f64> {
        let mut training = classifier(norm.parse().unwrap());
        training.rule = rule;
        training.steps = 20;
        DirectionGrowth { training }.run_alone(Seed(0), &Device::Cpu).unwrap().values
    }

    #[test]
    fn under_plain_descent_lengths_grow_and_else_they_need_not() {
        let plain = values("weight", OptimizerKind::Sgd);
        assert!(plain["share_of_falls"] == 0.0 && plain["final_length"] > 1.0, "{plain:?}");
        assert!(values("weight", OptimizerKind::Decay(0.1))["share_of_falls"] > 0.5);
        assert!(values("none", OptimizerKind::Sgd)["share_of_falls"] > 0.01);
    }
}
