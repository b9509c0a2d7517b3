//! A classifier's generalization gap, its weights' singular values, and how far its logits move for what its inputs do.

use candle_core::{DType, Result, Tensor};
use nalgebra::DMatrix;
use normbook::data::dataset::Split;
use normbook::net::Net;
use normbook::norm::Pass;
use normbook::probe::exact::largest;
use normbook::probe::singular_values::falling;
use normbook::train::accuracy::accuracy;
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use normbook_ops::power_iteration::as_matrix;
use serde::Serialize;
use std::collections::BTreeMap;

/// The accuracy on all training images at the end, in evaluation.
pub const FINAL_TRAIN_ACCURACY: &str = "final_train_accuracy";
/// That less the test accuracy.
pub const GAP: &str = "generalization_gap";
/// The largest singular value of the hidden layers' weights, the geometric mean over the layers.
pub const LARGEST: &str = "largest_singular_value";
/// That over the median singular value.
pub const STEEPNESS: &str = "spectrum_steepness";
/// The largest |σ₁ − 1| of a hidden layer.
pub const FROM_ONE: &str = "largest_distance_from_one";
/// Over pairs of test images the largest distance of the logits over that of the images, in parts of the product of all
/// layers' σ₁, which bounds it. A convolution's σ₁, of `[O, C k k]`, counts k times: each pixel stands in k² of its
/// windows.
pub const GAIN: &str = "gain_over_bound";

/// Training images that are judged at a time.
const JUDGED: usize = 1000;
/// Test images of which neighbours are compared.
const COMPARED: usize = 1000;

/// The trial: a net's whose activations and poolings are 1-Lipschitz.
#[derive(Clone, Serialize)]
pub struct Spectrum {
    pub training: Classifier,
}

impl Trial for Spectrum {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: the values above, and series `singular_values` of the first layer, by rank. A run that
    /// diverged guesses on all images, so that it has no gap, and of the other values none.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let parts = self.training.data.train_len().div_ceil(JUDGED) as u64;
        // The training images part by part, as they are many; then the rest.
        let options = TrainOptions { last_looks: parts + 1, ..TrainOptions::default() };
        let mut trace = self.training.train(options, context, &mut 0.0, |right, snapshot, trace| {
            if snapshot.step < self.training.steps {
                return Ok(());
            }
            if snapshot.look < parts {
                let start = snapshot.look as usize * JUDGED;
                let part = snapshot.train.narrow(start, JUDGED.min(snapshot.train.len() - start))?;
                *right += part.right(&snapshot.net.forward(&part.inputs, Pass::EVAL)?)?;
                return Ok(());
            }
            let (train, test) = (*right / snapshot.train.len() as f64, accuracy(snapshot.net, snapshot.test)?);
            trace.values.extend([(FINAL_TRAIN_ACCURACY.into(), train), (GAP.into(), train - test)]);
            note_spectra(snapshot.net, snapshot.test, trace)
        })?;
        trace.values.entry(GAP.into()).or_insert(0.0);
        Ok(trace)
    }
}

fn note_spectra(net: &dyn Net, test: &Split, trace: &mut Trace) -> Result<()> {
    let weights: Vec<Tensor> =
        net.layers().iter().map(|layer| layer.effective_weight(Pass::EVAL)).collect::<Result<_>>()?;
    let spectra: Vec<Vec<f64>> = weights.iter().map(spectrum).collect::<Result<_>>()?;
    if spectra.iter().flatten().any(|value| !value.is_finite()) {
        return Ok(());
    }
    let hidden = &spectra[..spectra.len() - 1];
    let mean = |of: fn(&[f64]) -> f64| {
        libm::exp(hidden.iter().map(|values| libm::log(of(values))).sum::<f64>() / hidden.len() as f64)
    };
    let from_one = largest(hidden.iter().map(|values| values[0] - 1.0));
    let bound: f64 = weights.iter().zip(&spectra).map(|(weight, values)| side(weight) * values[0]).product();
    trace.values.extend([
        (LARGEST.into(), mean(|values| values[0])),
        (STEEPNESS.into(), mean(|values| values[0] / values[values.len() / 2])),
        (FROM_ONE.into(), from_one),
        (GAIN.into(), largest_gain(net, test)? / bound),
    ]);
    let first = &spectra[0];
    let x = (1..=first.len()).map(|rank| rank as f64).collect();
    trace.series.insert("singular_values".into(), Series { x, y: first.clone() });
    Ok(())
}

/// Falling. What is not finite gives itself.
fn spectrum(weight: &Tensor) -> Result<Vec<f64>> {
    let matrix = as_matrix(weight)?.to_dtype(DType::F64)?;
    let (rows, columns) = matrix.dims2()?;
    let values: Vec<f64> = matrix.flatten_all()?.to_vec1()?;
    if let Some(wrong) = values.iter().find(|value| !value.is_finite()) {
        return Ok(vec![*wrong]);
    }
    Ok(falling(&DMatrix::from_row_slice(rows, columns, &values)))
}

/// The side k of a convolution's kernel, `[O, C, k, k]`; 1 of other weights.
fn side(weight: &Tensor) -> f64 {
    if weight.rank() == 4 { weight.dims()[3] as f64 } else { 1.0 }
}

/// Over neighbors in the file: the largest ‖f(x) − f(x′)‖ / ‖x − x′‖.
fn largest_gain(net: &dyn Net, test: &Split) -> Result<f64> {
    let images = test.narrow(0, COMPARED.min(test.len()))?.inputs;
    let logits = net.forward(&images, Pass::EVAL)?;
    let distances = |rows: &Tensor| -> Result<Vec<f32>> {
        let rows = rows.flatten_from(1)?;
        let count = rows.dim(0)? - 1;
        (rows.narrow(0, 1, count)? - rows.narrow(0, 0, count)?)?.sqr()?.sum(1)?.sqrt()?.to_vec1()
    };
    let pairs = distances(&logits)?.into_iter().zip(distances(&images)?);
    Ok(largest(pairs.filter(|(_, of)| *of > 0.0).map(|(moved, of)| f64::from(moved / of))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::net::convolutional::Stage::{Convolution, Pool};
    use normbook::testing::classifier;
    use normbook::train::classifier::Architecture;
    use normbook::train::optimizer::OptimizerKind;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::ended_and_resumed;
    use normbook_lab::trial::Outcome;

    fn trace(norm: &str, rule: OptimizerKind) -> Trace {
        let mut training = classifier(norm.parse().unwrap());
        (training.rule, training.steps) = (rule, 60);
        Spectrum { training }.run_alone(Seed(0), &Device::Cpu).unwrap()
    }

    #[test]
    fn a_penalty_holds_down_and_a_layer_of_one_stays_at_one() {
        let (plain, held) = (trace("none", OptimizerKind::Sgd), trace("none", OptimizerKind::SpectralPenalty(1.0)));
        let (smaller, larger) = (held.values[LARGEST], plain.values[LARGEST]);
        assert!(smaller < 0.9 * larger, "{smaller}, without the penalty {larger}");
        let set = trace("spectral", OptimizerKind::Sgd);
        assert!(set.values[FROM_ONE] < 0.1 && plain.values[FROM_ONE] > 0.2, "{:?}", set.values);
    }

    #[test]
    fn the_gain_stays_below_its_bound() {
        for norm in ["none", "spectral"] {
            let trace = trace(norm, OptimizerKind::Sgd);
            let gain = trace.values[GAIN];
            assert!(0.0 < gain && gain <= 1.0, "{norm}: {gain}");
            let falling = &trace.series["singular_values"].y;
            assert!(falling.windows(2).all(|pair| pair[0] >= pair[1]) && falling.len() == 12);
        }
    }

    #[test]
    fn it_goes_on_where_it_was_ended() {
        let probe = Spectrum { training: classifier(normbook::norm::NormKind::Spectral) };
        let whole = probe.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!([1, 2, 6, 10].iter().all(|at| ended_and_resumed(&probe, Seed(0), *at) == whole));
    }

    #[test]
    fn a_diverged_run_guesses_and_has_no_gap() {
        let training = Classifier { learning_rate: 1e30, ..classifier(normbook::norm::NormKind::None) };
        let trace = Spectrum { training }.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!(trace.outcome != Outcome::Finished && trace.values[GAP] == 0.0 && !trace.values.contains_key(LARGEST));
    }

    /// The weight counts as `[4, 1 · 3 · 3]`.
    #[test]
    fn a_convolution_has_a_spectrum_and_a_bound() {
        let mut training = classifier("spectral".parse().unwrap());
        training.architecture = Architecture::Convolutional(&[Convolution(4), Pool]);
        let trace = Spectrum { training }.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!(0.0 < trace.values[GAIN] && trace.values[GAIN] <= 1.0, "{:?}", trace.values);
        assert_eq!(trace.series["singular_values"].y.len(), 4);
        assert!(trace.values[FROM_ONE] < 0.1, "{:?}", trace.values);
    }

    /// A kernel of ones moves a flat image 9 times as far as that moves, and has σ₁ = 3 as a matrix.
    #[test]
    fn the_bound_of_a_convolution_counts_its_windows() {
        let ones = Tensor::ones((1, 1, 3, 3), DType::F64, &Device::Cpu).unwrap();
        let sigma = spectrum(&ones).unwrap()[0];
        assert!((side(&ones) * sigma - 9.0).abs() < 1e-12);
        assert_eq!(side(&ones.flatten_from(1).unwrap()), 1.0);
    }
}
