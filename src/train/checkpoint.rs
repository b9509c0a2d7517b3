//! A training under way as bytes: what has moved in its net and its optimizer, and what was noted so far.

use super::optimizer::Optimizer;
use crate::net::Net;
use crate::trial::Session;
use candle_core::{Error, Result, Tensor, Var};
use serde::{Serialize, de::DeserializeOwned};

/// What of one training is kept, and by whom.
pub struct Checkpoint<'a> {
    session: &'a Session<'a>,
    /// All that moves, f32.
    state: Vec<Var>,
    steps: u64,
}

impl<'a> Checkpoint<'a> {
    /// Of a training of so many steps.
    pub fn new(session: &'a Session, net: &dyn Net, optimizer: &Optimizer, steps: u64) -> Self {
        Self { session, state: [net.state(), optimizer.state()].concat(), steps }
    }

    /// Keeps the training before it takes a step or another look, if it is time to.
    pub fn keep_if_time<N: Serialize>(&self, step: u64, noted: &N) -> Result<()> {
        if !self.session.keeper.is_time(step, self.steps) {
            return Ok(());
        }
        let values = |variable: &Var| variable.flatten_all()?.to_vec1::<f32>();
        let values = self.state.iter().map(values).collect::<Result<Vec<_>>>()?;
        let mut bytes = Vec::new();
        ciborium::into_writer(&(step, values, noted), &mut bytes).map_err(Error::wrap)?;
        self.session.keeper.keep(&bytes)
    }

    /// Goes back to what was kept: the step that comes next, and what was noted. None, and nothing has moved, if nothing was
    /// kept that fits.
    pub fn resume<N: DeserializeOwned>(&self) -> Result<Option<(u64, N)>> {
        let Some(bytes) = self.session.keeper.last() else { return Ok(None) };
        let Ok((step, values, noted)) = ciborium::from_reader::<(u64, Vec<Vec<f32>>, N), _>(&*bytes) else {
            return Ok(None);
        };
        let fits = |(variable, values): (&Var, &Vec<f32>)| variable.elem_count() == values.len();
        if self.state.len() != values.len() || !self.state.iter().zip(&values).all(fits) {
            return Ok(None);
        }
        for (variable, values) in self.state.iter().zip(values) {
            variable.set(&Tensor::from_vec(values, variable.shape(), variable.device())?)?;
        }
        Ok(Some((step, noted)))
    }
}

#[cfg(test)]
mod tests {
    use crate::net::convolutional::Stage::{Convolution, Pool};
    use crate::norm::{Kind, name::named};
    use crate::probe::fixture::classifier;
    use crate::seed::Seed;
    use crate::train::classifier::{Architecture, Classifier};
    use crate::train::deep_linear::DeepLinear;
    use crate::train::optimizer::Rule;
    use crate::trial::testing::{ended_and_resumed, resumed_from};
    use crate::trial::{Outcome, Trial};
    use candle_core::Device;

    const SEED: Seed = Seed(3);

    fn goes_on(what: &str, trial: &impl Trial) {
        let whole = trial.run(SEED, &Device::Cpu).unwrap();
        for at in [1, 5] {
            assert!(ended_and_resumed(trial, SEED, at) == whole, "{what}, ended at step {at}");
        }
    }

    /// Whatever a norm keeps besides its parameters is kept.
    #[test]
    fn every_norm_goes_on_as_if_nothing_had_been() {
        for norm in named() {
            let mut cnn = classifier(norm);
            (cnn.architecture, cnn.steps, cnn.batch_size) =
                (Architecture::Convolutional(&[Convolution(3), Pool]), 7, 10);
            goes_on(&norm.to_string(), &cnn);
        }
    }

    #[test]
    fn so_does_every_rule() {
        for rule in [Rule::Sgd, Rule::Adam, Rule::Decay(0.1), Rule::SpectralPenalty(0.1), Rule::Clipped(0.1)] {
            goes_on(&format!("{rule:?}"), &Classifier { rule, ..classifier(Kind::BATCH) });
        }
    }

    #[test]
    fn so_do_other_nets() {
        goes_on("recurrent", &Classifier { architecture: Architecture::Recurrent(6), ..classifier(Kind::Layer) });
        let (layers, width, examples, learning_rate) = (4, 5, 30, 1e-4);
        for norm in [Kind::None, Kind::BATCH] {
            let net = DeepLinear { layers, width, examples, norm, learning_rate, steps: 10, target_loss: 1.0 };
            goes_on("deep linear", &net);
        }
    }

    /// Which may be a while after it was ended.
    #[test]
    fn a_run_that_diverges_diverges_at_the_same_step() {
        let trial = Classifier { learning_rate: 1e8, ..classifier(Kind::None) };
        let whole = trial.run(SEED, &Device::Cpu).unwrap();
        assert!(matches!(whole.outcome, Outcome::Diverged { .. }));
        assert!(ended_and_resumed(&trial, SEED, 1) == whole);
    }

    #[test]
    fn a_state_that_does_not_fit_is_not_taken() {
        let trial = classifier(Kind::BATCH);
        let whole = trial.run(SEED, &Device::Cpu).unwrap();
        let mut of_another = Vec::new();
        ciborium::into_writer(&(5u64, vec![vec![0.0f32; 3]], ()), &mut of_another).unwrap();
        for bytes in [&b""[..], b"anything", &of_another] {
            assert!(resumed_from(&trial, SEED, bytes) == whole);
        }
    }
}
