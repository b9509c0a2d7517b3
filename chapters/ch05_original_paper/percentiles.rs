//! How steady the inputs of a layer's activation are while the network trains (arXiv:1502.03167, Fig. 1b and c).

use candle_core::{Result, Tensor};
use normbook::net::{Net, Place};
use normbook::norm::Pass;
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: trains a classifier of linear layers and looks at all units of one hidden layer.
#[derive(Clone, Serialize)]
pub struct Percentiles {
    pub training: Classifier,
    /// The layer, from 0.
    pub layer: usize,
    /// Test images that are looked at, as one batch.
    pub examples: usize,
    /// Times that it is looked at, evenly over the training.
    pub samples: u64,
}

/// The percentiles that the figure draws.
const PERCENTILES: [usize; 3] = [15, 50, 85];

impl Trial for Percentiles {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: series `percentile_15`, `.._50` and `.._85` of the first unit over steps; values
    /// `median_drift` and `width_drift`: the standard deviation over time of a unit's median and of the distance
    /// between its 15th and 85th percentiles, as the geometric mean over all units; `mean_width`, that distance on
    /// average; and `relative_median_drift`, `relative_width_drift`, where each unit's is relative to its own mean
    /// distance. A unit that does not move counts as one that moved by f32's resolution.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let interval = (self.training.steps / self.samples).max(1);
        // The steps, and the percentiles by time, then by unit.
        let mut noted: (Vec<f64>, Vec<Vec<[f64; 3]>>) = Default::default();
        let mut trace =
            self.training.train(TrainOptions::default(), context, &mut noted, |(steps, seen), snapshot, _| {
                if snapshot.step % interval == 0 {
                    steps.push(snapshot.step as f64);
                    let examples = self.examples.min(snapshot.test.len());
                    seen.push(self.percentiles(snapshot.net, &snapshot.test.inputs.narrow(0, 0, examples)?)?);
                }
                Ok(())
            })?;
        let (steps, seen) = noted;
        for (index, percentile) in PERCENTILES.into_iter().enumerate() {
            let y = seen.iter().map(|units| units[0][index]).collect();
            trace.series.insert(format!("percentile_{percentile}"), Series { x: steps.clone(), y });
        }
        let units = seen.first().map_or(0, Vec::len);
        let over_time =
            |unit: usize, of: fn(&[f64; 3]) -> f64| -> Vec<f64> { seen.iter().map(|units| of(&units[unit])).collect() };
        let geometric = |of: fn(&[f64; 3]) -> f64, over: fn(&[f64]) -> f64| {
            let drift = |unit| deviation(&over_time(unit, of)) / over(&over_time(unit, width));
            let logarithms = (0..units).map(|unit| libm::log(drift(unit).max(f64::from(f32::EPSILON))));
            libm::exp(logarithms.sum::<f64>() / units as f64)
        };
        let widths: Vec<f64> = seen.iter().flatten().map(width).collect();
        trace.values.extend([
            ("median_drift".into(), geometric(median, |_| 1.0)),
            ("width_drift".into(), geometric(width, |_| 1.0)),
            ("relative_median_drift".into(), geometric(median, mean)),
            ("relative_width_drift".into(), geometric(width, mean)),
            ("mean_width".into(), widths.iter().sum::<f64>() / widths.len() as f64),
        ]);
        Ok(trace)
    }
}

impl Percentiles {
    /// Of each unit, with the statistics of these images.
    fn percentiles(&self, net: &dyn Net, images: &Tensor) -> Result<Vec<[f64; 3]>> {
        let mut inputs = None;
        net.forward_watched(images, Pass::PROBE, &mut |layer, place, tensor| {
            if layer == self.layer && place == Place::BeforeActivation {
                inputs = Some(tensor.t()?.to_vec2::<f32>()?);
            }
            Ok(())
        })?;
        Ok(inputs.unwrap_or_default().into_iter().map(of_unit).collect())
    }
}

/// The percentiles of a unit's values, by the nearest rank.
fn of_unit(mut values: Vec<f32>) -> [f64; 3] {
    values.sort_by(f32::total_cmp);
    PERCENTILES.map(|percentile| f64::from(values[(percentile * values.len()).div_ceil(100).max(1) - 1]))
}

fn median([_, median, _]: &[f64; 3]) -> f64 {
    *median
}

fn width([low, _, high]: &[f64; 3]) -> f64 {
    high - low
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::net::layer::{Activation, BlockConfig, Init, Weights};
    use normbook::net::mlp::Mlp;
    use normbook::norm::NormKind;
    use normbook_lab::seed::Purpose;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::ended_and_resumed;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        assert_eq!(of_unit((1..=100).rev().map(|value| value as f32).collect()), [15.0, 50.0, 85.0]);
        assert_eq!(of_unit(vec![7.0]), [7.0; 3]);
        assert!((deviation(&[1.0, 3.0]) - 1.0).abs() < 1e-12);
    }

    /// After a normalization every unit has mean 0 and standard deviation 1, whatever the inputs.
    #[test]
    fn a_normalized_layer_stays_where_it_is() {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let images = (stream.normal_tensor((400, 9), 30.0, &Device::Cpu).unwrap() + 50.0).unwrap();
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        let net = Mlp::new(&[9, 5, 2], BlockConfig::new(NormKind::BATCH, Activation::Sigmoid), init).unwrap();
        let probe = |layer| {
            let training = normbook::testing::classifier(NormKind::BATCH);
            Percentiles { training, layer, examples: 400, samples: 1 }.percentiles(&net, &images).unwrap()
        };
        let units = probe(0);
        assert_eq!(units.len(), 5);
        for [low, median, high] in units {
            assert!(
                (low + 1.04).abs() < 0.2 && median.abs() < 0.2 && (high - 1.04).abs() < 0.2,
                "{low} {median} {high}"
            );
        }
    }

    #[test]
    fn it_goes_on_where_it_was_ended() {
        let probe = Percentiles {
            training: normbook::testing::classifier(NormKind::BATCH),
            layer: 0,
            examples: 50,
            samples: 5,
        };
        let whole = probe.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!([1, 2, 6].iter().all(|at| ended_and_resumed(&probe, Seed(0), *at) == whole));
    }
}
