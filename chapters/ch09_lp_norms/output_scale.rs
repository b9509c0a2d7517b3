//! Batch normalization whose γ does not start at 1: what the size of a norm's outputs does, all else aside.
//!
//! Divided by an ℓp norm, normal values of mean 0 have not deviation 1 but σ / d: for ℓ1 √(π/2), as the mean of |x| is
//! σ √(2/π). BatchNorm with this γ gives them the same. The next norm takes the factor away again; but behind the last
//! one stands the layer that makes the predictions.

use candle_core::{Result, bail};
use normbook::net::Net;
use normbook::norm::lp::Power;
use normbook::probe::subject::Subject;
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: a training that finds every γ of its net multiplied before the first step.
#[derive(Clone, Serialize)]
pub struct OutputScale {
    pub subject: Subject,
    /// What every γ, which starts at 1, is multiplied with.
    pub gamma: f64,
}

impl Trial for OutputScale {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.subject.data()
    }

    /// As the subject's own training. What looks on here is no probe: at step 0 it changes the net.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        self.subject.run_watched(context, &mut (), |(), scene| match scene.step() {
            0 => scale(scene.net(), self.gamma),
            _ => Ok(()),
        })
    }
}

/// σ / d of normal values of mean 0: by what BatchNorm's γ must be multiplied to be as large as an ℓp norm's outputs.
/// `values` is the size of the batch, on which the largest depends.
pub fn of_normal_values(power: Power, values: u32) -> f64 {
    match power {
        Power::One => (std::f64::consts::PI / 2.0).sqrt(),
        Power::Two => 1.0,
        // The mean of the largest is the integral of 1 − P(all of them are smaller); beyond 10 there is nothing.
        Power::Infinity => {
            let (width, cells) = (1e-3, 10_000);
            let larger =
                |cell| 1.0 - libm::pow(libm::erf((f64::from(cell) + 0.5) * width / 2f64.sqrt()), f64::from(values));
            1.0 / (0..cells).map(|cell| larger(cell) * width).sum::<f64>()
        }
    }
}

// ANCHOR: scale
/// Multiplies every γ of the net. Errors if it has none.
fn scale(net: &dyn Net, factor: f64) -> Result<()> {
    let gammas: Vec<_> =
        net.layers().into_iter().filter_map(|layer| layer.norm()?.parameters().into_iter().next()).collect();
    if gammas.is_empty() {
        bail!("a net without norm has no γ to scale");
    }
    gammas.iter().try_for_each(|gamma| gamma.set(&(gamma.as_detached_tensor() * factor)?))
}
// ANCHOR_END: scale

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::norm::NormKind;
    use normbook::train::deep_linear::DeepLinear;
    use normbook_lab::seed::Seed;

    fn trial(norm: NormKind, gamma: f64) -> OutputScale {
        let (layers, width, examples, learning_rate, target_loss) = (5, 4, 30, 1e-6, 0.0);
        let net = DeepLinear { layers, width, examples, norm, learning_rate, steps: 3, target_loss };
        OutputScale { subject: Subject::DeepLinear(net), gamma }
    }

    fn losses(gamma: f64) -> Vec<f64> {
        trial(NormKind::BATCH, gamma).run_alone(Seed(3), &Device::Cpu).unwrap().series["train_loss"].y.clone()
    }

    /// For two values: E max(|a|, |b|) = 2 / √π.
    #[test]
    fn the_sizes_are_those_of_normal_values() {
        let one = of_normal_values(Power::One, 1000);
        assert!((one - 1.253_314).abs() < 1e-6 && of_normal_values(Power::Two, 1000) == 1.0);
        for (values, largest) in [(1, (2.0 / std::f64::consts::PI).sqrt()), (2, 2.0 / std::f64::consts::PI.sqrt())] {
            let found = of_normal_values(Power::Infinity, values);
            assert!((found * largest - 1.0).abs() < 1e-5, "{values}: {found}");
        }
        let mut stream = Seed(0).stream(normbook_lab::seed::Purpose::Probe, 0);
        let largest = |_| (0..1000).map(|_| stream.normal().abs()).fold(0.0, f64::max);
        let drawn = (0..400).map(largest).sum::<f64>() / 400.0;
        assert!((of_normal_values(Power::Infinity, 1000) * drawn - 1.0).abs() < 0.02, "{drawn}");
    }

    /// The predictions, and nothing else, grow with the factor: the loss at the start is a parabola in it, whose third
    /// differences are zero.
    #[test]
    fn the_factor_is_on_the_predictions() {
        let [one, two, three, four] = [1.0, 2.0, 3.0, 4.0].map(|gamma| losses(gamma)[0]);
        assert!((four - 3.0 * three + 3.0 * two - one).abs() < 1e-3 * one, "{one} {two} {three} {four}");
        assert!((four - 2.0 * three + two).abs() > 0.1 * one, "{two} {three} {four}");
    }

    #[test]
    fn a_factor_of_one_is_the_training_itself() {
        let OutputScale { subject, .. } = trial(NormKind::BATCH, 1.0);
        let alone = subject.run_watched(&RunContext::alone(Seed(3), &Device::Cpu), &mut (), |(), _| Ok(())).unwrap();
        assert_eq!(losses(1.0), alone.series["train_loss"].y);
    }

    #[test]
    fn a_net_without_norm_is_an_error() {
        let error = trial(NormKind::None, 2.0).run_alone(Seed(0), &Device::Cpu).unwrap_err();
        assert!(error.to_string().contains("no γ"), "{error}");
    }
}
