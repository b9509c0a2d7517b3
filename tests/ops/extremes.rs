//! Values that are hard: one of everything, ties, zeros, saturation, a mean far from 0.

use crate::{
    cases::{Case, DIVISORS, EPSILON, one_of_each},
    op::{BOTH, Op, Version},
    pullback::{assert_close, normal, pull, upstream},
};
use candle_core::{
    DType::{F32, F64},
    Device, Result, Tensor,
};
use normbook_ops::{
    conv2d::Windows,
    normalize::{ScaleStatistic, Axes},
};

/// Output and gradients of a case with other inputs.
fn pull_at(case: &Case, version: Version, inputs: &[Tensor]) -> Vec<Vec<f64>> {
    pull(|inputs| case.op.apply(version, inputs), inputs, upstream).unwrap()
}

fn is_finite(arrays: &[Vec<f64>]) -> bool {
    arrays.iter().flatten().all(|value| value.is_finite())
}

#[test]
fn one_example_one_channel_one_pixel() {
    let mut cases = vec![
        Case::activation(Op::Relu, &[]),
        Case::linear([1, 1, 1]),
        Case::conv2d([1, 1, 1, 1], 1, [1, 1], Windows { stride: 1, padding: 0 }),
        Case::conv2d([1, 1, 1, 1], 1, [1, 1], Windows { stride: 3, padding: 3 }),
        Case::conv2d([1, 1, 1, 1], 1, [3, 3], Windows { stride: 2, padding: 1 }),
        Case::conv2d([1, 2, 1, 5], 2, [1, 2], Windows { stride: 2, padding: 0 }),
        Case::pool(Op::MaxPool2d(1), [1, 1, 1, 1]),
        Case::pool(Op::AvgPool2d(1), [1, 1, 1, 1]),
        Case::cross_entropy(vec![0], 1),
    ];
    for dims in [&[1, 1][..], &[1, 1, 1, 1], &[1, 3], &[1, 1, 2, 2], &[4, 1], &[4, 1, 1, 1]] {
        for divisor in DIVISORS {
            cases.push(Case::normalize(dims, Axes::Batch, divisor, EPSILON));
            cases.push(Case::normalize(dims, Axes::Groups(1), divisor, EPSILON));
        }
    }
    for case in cases {
        let expected = case.pull(Version::Composed, F64);
        assert!(is_finite(&expected), "{case:?}: {expected:?}");
        assert_close(&case.pull(Version::Fused, F64), &expected, 1e-12, &case);
    }
}

/// Equal maxima, and zeros where there is a kink: -1, 0 and 1 in turn.
#[test]
fn ties_and_zeros() -> Result<()> {
    for case in one_of_each() {
        let mut inputs = case.inputs(F64)?;
        inputs[0] = (&inputs[0] * 0.7)?.round()?;
        let expected = pull_at(&case, Version::Composed, &inputs);
        assert_close(&pull_at(&case, Version::Fused, &inputs), &expected, 1e-12, &case);
    }
    Ok(())
}

#[test]
fn all_zeros() -> Result<()> {
    for case in one_of_each() {
        for version in BOTH {
            let mut inputs = case.inputs(F64)?;
            inputs[0] = inputs[0].zeros_like()?;
            let found = pull_at(&case, version, &inputs);
            assert!(is_finite(&found), "{case:?}, {version:?}: {found:?}");
        }
    }
    Ok(())
}

/// Squares of such values are 0 in f32.
#[test]
fn values_too_small_to_square() -> Result<()> {
    for divisor in DIVISORS {
        for version in BOTH {
            let case = Case::normalize(&[5, 4], Axes::Batch, divisor, EPSILON);
            let mut inputs = case.inputs(F32)?;
            inputs[0] = (&inputs[0] * 1e-25)?;
            let found = pull_at(&case, version, &inputs);
            assert!(is_finite(&found), "{case:?}, {version:?}: {found:?}");
        }
    }
    Ok(())
}

/// Maxima may be taken before ReLU: it never falls.
#[test]
fn pooling_and_relu_change_places() -> Result<()> {
    let input = [(normal(0, 0, &[2, 3, 6, 8])? * 2.0)?.round()?];
    let [pool, relu] = [Op::MaxPool2d(2), Op::Relu];
    for version in BOTH {
        let in_turn = |first: &Op, then: &Op| {
            pull(|inputs| then.apply(version, &[first.apply(version, inputs)?]), &input, upstream)
        };
        assert_eq!(in_turn(&pool, &relu)?, in_turn(&relu, &pool)?, "{version:?}");
    }
    Ok(())
}

/// σ(±z) is 0 or 1 and its gradient 0, and cross-entropy is the gap between two logits.
#[test]
fn saturation() -> Result<()> {
    for dtype in [F32, F64] {
        for (version, size) in BOTH.into_iter().flat_map(|version| [100.0, 1e3, 1e6].map(|size| (version, size))) {
            let logits = [Tensor::new(&[[-size, size]], &Device::Cpu)?.to_dtype(dtype)?];
            let found = pull(|inputs| Op::Sigmoid.apply(version, inputs), &logits, upstream)?;
            assert_close(&found, &[vec![0.0, 1.0], vec![0.0, 0.0]], 1e-30, ("sigmoid", version, dtype, size));

            let cross_entropy = Op::CrossEntropy(vec![0]);
            let found = pull(|inputs| cross_entropy.apply(version, inputs), &logits, Tensor::ones_like)?;
            assert_close(&found, &[vec![2.0 * size], vec![-1.0, 1.0]], 1e-30, ("cross-entropy", version, dtype, size));
        }
    }
    Ok(())
}

/// Adding the same to all logits changes nothing. Eighths and 4096 are exact in f32.
#[test]
fn cross_entropy_of_shifted_logits() -> Result<()> {
    let case = Case::cross_entropy(vec![2, 0, 1, 1, 3], 4);
    let logits = ((&case.inputs(F64)?[0] * 8.0)?.round()? / 8.0)?;
    let expected = pull_at(&case, Version::Composed, std::slice::from_ref(&logits));
    for (version, dtype) in BOTH.into_iter().flat_map(|version| [(version, F32), (version, F64)]) {
        let shifted = (&logits + 4096.0)?.to_dtype(dtype)?;
        assert_close(&pull_at(&case, version, &[shifted]), &expected, case.precision(), (version, dtype));
    }
    Ok(())
}

/// Where E[x²] − E[x]² would cancel. The largest output is 6.7, so that the bound is a hundredth there.
#[test]
fn a_mean_far_from_zero() -> Result<()> {
    let dims = [64, 8, 6, 6];
    let input = (normal(0, 0, &dims)? + 1e4)?.to_dtype(F32)?;
    let naive = (input.sqr()?.mean_all()? - input.mean_all()?.sqr()?)?.to_scalar::<f32>()?;
    assert!((naive - 1.0).abs() > 0.5, "no longer hard: {naive}");

    for over in [Axes::Batch, Axes::Groups(2)] {
        let case = Case::normalize(&dims, over, ScaleStatistic::Deviation, EPSILON);
        let inputs = |dtype| -> Result<Vec<Tensor>> {
            let parameters = &case.inputs(dtype)?[1..];
            Ok([&[input.to_dtype(dtype)?], parameters].concat())
        };
        let expected = pull_at(&case, Version::Composed, &inputs(F64)?);
        for version in BOTH {
            assert_close(&pull_at(&case, version, &inputs(F32)?), &expected, 1.5e-3, (&case, version));
        }
    }
    Ok(())
}
