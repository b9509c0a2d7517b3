//! How weights and biases grow while a network trains.

use candle_core::{DType, Result, Tensor};
use normbook::net::Net;
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook_lab::trial::{RunContext, SAMPLES_PER_DECADE, Series, Trace, Trial, sample_steps};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: trains a classifier and measures its hidden layers.
#[derive(Clone, Serialize)]
pub struct Growth {
    pub training: Classifier,
}

impl Trial for Growth {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: series `weight_norm` and `bias_norm` over steps, the norm of all hidden layers' weights
    /// and biases; values `final_weight_norm` and `final_bias_norm`, of the last that was finite.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let samples = sample_steps(self.training.steps, SAMPLES_PER_DECADE);
        let mut seen: [Series; 2] = Default::default();
        let mut trace = self.training.train(TrainOptions::default(), context, &mut seen, |seen, snapshot, _| {
            if samples.binary_search(&snapshot.step).is_ok() {
                for (series, norm) in seen.iter_mut().zip(norms(snapshot.net)?) {
                    if norm.is_finite() {
                        series.x.push(snapshot.step as f64);
                        series.y.push(norm);
                    }
                }
            }
            Ok(())
        })?;
        for (name, series) in ["weight_norm", "bias_norm"].into_iter().zip(seen) {
            trace.values.extend(series.y.last().map(|last| (format!("final_{name}"), *last)));
            trace.series.insert(name.into(), series);
        }
        Ok(trace)
    }
}

/// Of all hidden layers' weights, and of their biases.
fn norms(net: &dyn Net) -> Result<[f64; 2]> {
    let layers = net.layers();
    let hidden = &layers[..layers.len() - 1];
    let norm = |tensors: Vec<&Tensor>| -> Result<f64> {
        let squares =
            tensors.into_iter().map(|tensor| tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>());
        Ok(squares.sum::<Result<f64>>()?.sqrt())
    };
    Ok([
        norm(hidden.iter().map(|layer| layer.weight().as_tensor()).collect())?,
        norm(hidden.iter().map(|layer| layer.bias().as_tensor()).collect())?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::net::layer::{BlockConfig, Init, Weights};
    use normbook::net::mlp::Mlp;
    use normbook::norm::NormKind;
    use normbook::testing::classifier;
    use normbook_lab::seed::{Purpose, Seed};
    use normbook_lab::testing::ended_and_resumed;

    #[test]
    fn it_goes_on_where_it_was_ended() {
        let probe = Growth { training: classifier(NormKind::None) };
        assert!(ended_and_resumed(&probe, Seed(0), 6) == probe.run_alone(Seed(0), &Device::Cpu).unwrap());
    }

    #[test]
    fn the_norm_is_that_of_the_hidden_layers() {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Deviation(0.5), stream, device: &Device::Cpu };
        let net = Mlp::new(&[40, 50, 3], BlockConfig::LINEAR, init).unwrap();
        let [weights, biases] = norms(&net).unwrap();
        assert!((weights / (0.5 * 2000f64.sqrt()) - 1.0).abs() < 0.05, "{weights}");
        assert_eq!(biases, 0.0);
    }
}
