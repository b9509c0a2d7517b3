//! A training under way as bytes: what has moved in its net and its optimizer, and what was noted so far.

use super::optimizer::Optimizer;
use crate::net::Net;
use candle_core::{Error, Result, Tensor, Var};
use normbook_lab::trial::RunContext;
use serde::{Serialize, de::DeserializeOwned};

/// What of one training is kept, and by whom.
pub struct Checkpoint<'a> {
    context: &'a RunContext<'a>,
    /// All that moves, f32.
    state: Vec<Var>,
    steps: u64,
}

impl<'a> Checkpoint<'a> {
    /// Of a training of so many steps.
    pub fn new(context: &'a RunContext, net: &dyn Net, optimizer: &Optimizer, steps: u64) -> Self {
        Self { context, state: [net.state(), optimizer.state()].concat(), steps }
    }

    /// Keeps the training before it takes a step or another look, if it is time to.
    pub fn keep_if_time<N: Serialize>(&self, step: u64, noted: &N) -> Result<()> {
        if !self.context.checkpoint.is_due(step, self.steps) {
            return Ok(());
        }
        let values = |variable: &Var| variable.flatten_all()?.to_vec1::<f32>();
        let values = self.state.iter().map(values).collect::<Result<Vec<_>>>()?;
        let mut bytes = Vec::new();
        ciborium::into_writer(&(step, values, noted), &mut bytes).map_err(Error::wrap)?;
        self.context.checkpoint.save(&bytes)
    }

    /// Goes back to what was kept: the step that comes next, and what was noted. None, and nothing has moved, if nothing was
    /// kept that fits.
    pub fn resume<N: DeserializeOwned>(&self) -> Result<Option<(u64, N)>> {
        let Some(bytes) = self.context.checkpoint.last() else { return Ok(None) };
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
    use crate::norm::{NormKind, name::named};
    use crate::testing::classifier;
    use crate::train::classifier::{Architecture, Classifier};
    use crate::train::deep_linear::DeepLinear;
    use crate::train::optimizer::OptimizerKind;
    use candle_core::Device;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::{ended_and_resumed, resumed_from};
    use normbook_lab::trial::{Outcome, Trial};

    const SEED: Seed = Seed(3);

    fn goes_on(what: &str, trial: &impl Trial) {
        let whole = trial.run_alone(SEED, &Device::Cpu).unwrap();
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
        for rule in [
            OptimizerKind::Sgd,
            OptimizerKind::Adam,
            OptimizerKind::Decay(0.1),
            OptimizerKind::SpectralPenalty(0.1),
            OptimizerKind::Clipped(0.1),
        ] {
            goes_on(&format!("{rule:?}"), &Classifier { rule, ..classifier(NormKind::BATCH) });
        }
    }

    #[test]
    fn so_do_other_nets() {
        goes_on("recurrent", &Classifier { architecture: Architecture::Recurrent(6), ..classifier(NormKind::Layer) });
        let (layers, width, examples, learning_rate) = (4, 5, 30, 1e-4);
        for norm in [NormKind::None, NormKind::BATCH] {
            let net = DeepLinear { layers, width, examples, norm, learning_rate, steps: 10, target_loss: 1.0 };
            goes_on("deep linear", &net);
        }
    }

    /// Which may be a while after it was ended.
    #[test]
    fn a_run_that_diverges_diverges_at_the_same_step() {
        let trial = Classifier { learning_rate: 1e8, ..classifier(NormKind::None) };
        let whole = trial.run_alone(SEED, &Device::Cpu).unwrap();
        assert!(matches!(whole.outcome, Outcome::Diverged { .. }));
        assert!(ended_and_resumed(&trial, SEED, 1) == whole);
    }

    #[test]
    fn a_state_that_does_not_fit_is_not_taken() {
        let trial = classifier(NormKind::BATCH);
        let whole = trial.run_alone(SEED, &Device::Cpu).unwrap();
        let mut of_another = Vec::new();
        ciborium::into_writer(&(5u64, vec![vec![0.0f32; 3]], ()), &mut of_another).unwrap();
        for bytes in [&b""[..], b"anything", &of_another] {
            assert!(resumed_from(&trial, SEED, bytes) == whole);
        }
    }
}
