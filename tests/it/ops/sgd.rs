//! Steps of stochastic gradient descent: comparison of the implementations with each other and with PyTorch.

use super::{
    against_pytorch::{Descent, PRECISIONS, golden},
    pullback::{assert_close, normal, values},
};
use candle_core::{
    DType::{F32, F64},
    Result, Tensor, Var,
};
use normbook_ops::sgd::{Hyperparameters, step, step_composed, step_fused};
use proptest::prelude::*;

/// Returns the weight after a step along each gradient.
fn descend(
    take: impl Fn(&Var, &Tensor, Option<&Tensor>, Hyperparameters) -> Result<()>,
    start: &Tensor,
    gradients: &[Tensor],
    hyperparameters: Hyperparameters,
) -> Result<Vec<Vec<f64>>> {
    let weight = Var::from_tensor(start)?;
    let velocity = (hyperparameters.momentum > 0.0).then(|| start.zeros_like()).transpose()?;
    let after = |gradient| {
        take(&weight, gradient, velocity.as_ref(), hyperparameters)?;
        values(&weight)
    };
    gradients.iter().map(after).collect()
}

proptest! {
    #[test]
    fn both_implementations_agree(
        dims in proptest::collection::vec(1..7usize, 0..5),
        learning_rate in 1e-3..1.0f64,
        momentum in prop_oneof![Just(0.0), 0.1..0.99f64],
        weight_decay in prop_oneof![Just(0.0), 1e-4..0.1f64],
        seed in any::<u64>().no_shrink(),
    ) {
        let hyperparameters = Hyperparameters { learning_rate, momentum, weight_decay };
        let draws: Vec<Tensor> = (0..5).map(|step| normal(seed, step, &dims).unwrap()).collect();
        let [start, gradients @ ..] = &*draws else { unreachable!() };
        let expected = descend(step_composed, start, gradients, hyperparameters).unwrap();
        let found = descend(step_fused, start, gradients, hyperparameters).unwrap();
        assert_close(&found, &expected, 1e-12, hyperparameters);
        let draws: Vec<Tensor> = draws.iter().map(|tensor| tensor.to_dtype(F32).unwrap()).collect();
        for take in [step_composed, step_fused] {
            let found = descend(take, &draws[0], &draws[1..], hyperparameters).unwrap();
            assert_close(&found, &expected, 1e-5, hyperparameters);
        }
    }
}

#[test]
fn three_steps_of_pytorch() -> Result<()> {
    for Descent { learning_rate, momentum, weight_decay, start, gradients, weights } in golden().sgd {
        let hyperparameters = Hyperparameters { learning_rate, momentum, weight_decay };
        let expected: Vec<Vec<f64>> = weights.into_iter().map(|array| array.values).collect();
        for (dtype, tolerance) in PRECISIONS {
            let gradients: Vec<Tensor> = gradients.iter().map(|array| array.tensor(dtype)).collect::<Result<_>>()?;
            for take in [step_composed, step_fused, step] {
                let found = descend(take, &start.tensor(dtype)?, &gradients, hyperparameters)?;
                assert_close(&found, &expected, tolerance, (hyperparameters, dtype));
            }
        }
    }
    Ok(())
}

#[test]
fn a_gradient_that_is_not_contiguous() -> Result<()> {
    let hyperparameters = Hyperparameters { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.01 };
    let (start, gradient) = (normal(0, 0, &[4, 3])?, normal(0, 1, &[4, 3])?);
    let transposed = gradient.t()?.contiguous()?.t()?;
    for take in [step_composed, step_fused] {
        let expected = descend(take, &start, std::slice::from_ref(&gradient), hyperparameters)?;
        assert_eq!(descend(take, &start, std::slice::from_ref(&transposed), hyperparameters)?, expected);
    }
    assert_eq!(values(&start.to_dtype(F64)?)?, values(&normal(0, 0, &[4, 3])?)?, "the start was moved too");
    Ok(())
}
