//! A training under way as bytes: what has moved in its net and its optimizer, and what was noted so far.

use crate::trial::Session;
use candle_core::{Error, Result, Tensor, Var};
use serde::{Serialize, de::DeserializeOwned};

/// Keeps a training before a step, if it is time to. `state` is all that moves, f32; none, and it begins again when it was ended.
pub fn keep_if_time<N: Serialize>(
    session: &Session,
    (step, steps): (u64, u64),
    state: Option<&[Var]>,
    noted: &N,
) -> Result<()> {
    // Asked even if nothing can be kept: it is told how far the training is.
    let is_time = session.keeper.is_time(step, steps);
    let Some(state) = state.filter(|_| is_time) else { return Ok(()) };
    let values = |variable: &Var| variable.flatten_all()?.to_vec1::<f32>();
    let values = state.iter().map(values).collect::<Result<Vec<_>>>()?;
    let mut bytes = Vec::new();
    ciborium::into_writer(&(step, values, noted), &mut bytes).map_err(Error::wrap)?;
    session.keeper.keep(&bytes)
}

/// Goes back to what was kept: the step that comes next, and what was noted. None, and nothing has moved, if nothing was kept
/// that fits.
pub fn resume<N: DeserializeOwned>(session: &Session, state: Option<&[Var]>) -> Result<Option<(u64, N)>> {
    let (Some(state), Some(bytes)) = (state, session.keeper.last()) else { return Ok(None) };
    let Ok((step, values, noted)) = ciborium::from_reader::<(u64, Vec<Vec<f32>>, N), _>(&*bytes) else {
        return Ok(None);
    };
    let fits = |(variable, values): (&Var, &Vec<f32>)| variable.elem_count() == values.len();
    if state.len() != values.len() || !state.iter().zip(&values).all(fits) {
        return Ok(None);
    }
    for (variable, values) in state.iter().zip(values) {
        variable.set(&Tensor::from_vec(values, variable.shape(), variable.device())?)?;
    }
    Ok(Some((step, noted)))
}

#[cfg(test)]
mod tests {
    use crate::net::convolutional::SMALL_CNN;
    use crate::norm::{Kind, kind::named};
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
            (cnn.architecture, cnn.steps, cnn.batch_size) = (Architecture::Convolutional(&SMALL_CNN), 7, 10);
            goes_on(&norm.to_string(), &cnn);
        }
    }

    #[test]
    fn so_does_every_rule_but_adam() {
        for rule in [Rule::Sgd, Rule::Decay(0.1), Rule::SpectralPenalty(0.1), Rule::Clipped(0.1)] {
            goes_on(&format!("{rule:?}"), &Classifier { rule, ..classifier(Kind::BATCH) });
        }
        let adam = Classifier { rule: Rule::Adam, ..classifier(Kind::BATCH) };
        let whole = adam.run(SEED, &Device::Cpu).unwrap();
        assert!(resumed_from(&adam, SEED, b"anything") == whole, "it begins again");
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
