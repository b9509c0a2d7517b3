//! Hard values: single values, ties, zeros, saturation, a mean far from 0.

use super::{
    cases::{Case, EPSILON, SCALES, one_of_each},
    op::{BOTH, Implementation, Op},
    pullback::{assert_close, normal, pull, upstream},
};
use candle_core::{
    DType::{F32, F64},
    Device, Result, Tensor,
};
use normbook_ops::{
    conv2d::Windows,
    normalize::{Axes, ScaleStatistic},
};

/// Returns the output and the gradients of a case for other inputs.
fn pull_at(case: &Case, implementation: Implementation, inputs: &[Tensor]) -> Vec<Vec<f64>> {
    pull(|inputs| case.op.apply(implementation, inputs), inputs, upstream).unwrap()
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
        for scale in SCALES {
            cases.push(Case::normalize(dims, Axes::Batch, scale, EPSILON));
            cases.push(Case::normalize(dims, Axes::Groups(1), scale, EPSILON));
        }
    }
    for case in cases {
        let expected = case.pull(Implementation::Composed, F64);
        assert!(is_finite(&expected), "{case:?}: {expected:?}");
        assert_close(&case.pull(Implementation::Fused, F64), &expected, 1e-12, &case);
    }
}

/// Equal maxima, and zeros at the kinks: all values are −1, 0 or 1.
#[test]
fn ties_and_zeros() -> Result<()> {
    for case in one_of_each() {
        let mut inputs = case.inputs(F64)?;
        inputs[0] = (&inputs[0] * 0.7)?.round()?;
        let expected = pull_at(&case, Implementation::Composed, &inputs);
        assert_close(&pull_at(&case, Implementation::Fused, &inputs), &expected, 1e-12, &case);
    }
    Ok(())
}

#[test]
fn all_zeros() -> Result<()> {
    for case in one_of_each() {
        for implementation in BOTH {
            let mut inputs = case.inputs(F64)?;
            inputs[0] = inputs[0].zeros_like()?;
            let found = pull_at(&case, implementation, &inputs);
            assert!(is_finite(&found), "{case:?}, {implementation:?}: {found:?}");
        }
    }
    Ok(())
}

/// Values whose squares are 0 in f32.
#[test]
fn values_too_small_to_square() -> Result<()> {
    for scale in SCALES {
        for implementation in BOTH {
            let case = Case::normalize(&[5, 4], Axes::Batch, scale, EPSILON);
            let mut inputs = case.inputs(F32)?;
            inputs[0] = (&inputs[0] * 1e-25)?;
            let found = pull_at(&case, implementation, &inputs);
            assert!(is_finite(&found), "{case:?}, {implementation:?}: {found:?}");
        }
    }
    Ok(())
}

/// ReLU never decreases, so the maximum may be taken before it.
#[test]
fn pooling_and_relu_commute() -> Result<()> {
    let input = [(normal(0, 0, &[2, 3, 6, 8])? * 2.0)?.round()?];
    let [pool, relu] = [Op::MaxPool2d(2), Op::Relu];
    for implementation in BOTH {
        let in_turn = |first: &Op, second: &Op| {
            pull(|inputs| second.apply(implementation, &[first.apply(implementation, inputs)?]), &input, upstream)
        };
        assert_eq!(in_turn(&pool, &relu)?, in_turn(&relu, &pool)?, "{implementation:?}");
    }
    Ok(())
}

/// For large |z| the sigmoid is 0 or 1 and its gradient 0; the cross-entropy of two logits is their difference.
#[test]
fn saturation() -> Result<()> {
    for dtype in [F32, F64] {
        for (implementation, size) in
            BOTH.into_iter().flat_map(|implementation| [100.0, 1e3, 1e6].map(|size| (implementation, size)))
        {
            let logits = [Tensor::new(&[[-size, size]], &Device::Cpu)?.to_dtype(dtype)?];
            let found = pull(|inputs| Op::Sigmoid.apply(implementation, inputs), &logits, upstream)?;
            assert_close(&found, &[vec![0.0, 1.0], vec![0.0, 0.0]], 1e-30, ("sigmoid", implementation, dtype, size));

            let cross_entropy = Op::CrossEntropy(vec![0]);
            let found = pull(|inputs| cross_entropy.apply(implementation, inputs), &logits, Tensor::ones_like)?;
            assert_close(
                &found,
                &[vec![2.0 * size], vec![-1.0, 1.0]],
                1e-30,
                ("cross-entropy", implementation, dtype, size),
            );
        }
    }
    Ok(())
}

/// A number added to all logits changes nothing. Multiples of 1/8 and 4096 are exact in f32.
#[test]
fn cross_entropy_of_shifted_logits() -> Result<()> {
    let case = Case::cross_entropy(vec![2, 0, 1, 1, 3], 4);
    let logits = ((&case.inputs(F64)?[0] * 8.0)?.round()? / 8.0)?;
    let expected = pull_at(&case, Implementation::Composed, std::slice::from_ref(&logits));
    for (implementation, dtype) in
        BOTH.into_iter().flat_map(|implementation| [(implementation, F32), (implementation, F64)])
    {
        let shifted = (&logits + 4096.0)?.to_dtype(dtype)?;
        assert_close(&pull_at(&case, implementation, &[shifted]), &expected, case.precision(), (implementation, dtype));
    }
    Ok(())
}

/// Where E[x²] − E[x]² would cancel. The largest output is 6.7, so the tolerance is 0.01 there.
#[test]
fn a_mean_far_from_zero() -> Result<()> {
    let dims = [64, 8, 6, 6];
    let input = (normal(0, 0, &dims)? + 1e4)?.to_dtype(F32)?;
    let naive = (input.sqr()?.mean_all()? - input.mean_all()?.sqr()?)?.to_scalar::<f32>()?;
    assert!((naive - 1.0).abs() > 0.5, "no longer hard: {naive}");

    for axes in [Axes::Batch, Axes::Groups(2)] {
        let case = Case::normalize(&dims, axes, ScaleStatistic::StandardDeviation, EPSILON);
        let inputs = |dtype| -> Result<Vec<Tensor>> {
            let parameters = &case.inputs(dtype)?[1..];
            Ok([&[input.to_dtype(dtype)?], parameters].concat())
        };
        let expected = pull_at(&case, Implementation::Composed, &inputs(F64)?);
        for implementation in BOTH {
            assert_close(&pull_at(&case, implementation, &inputs(F32)?), &expected, 1.5e-3, (&case, implementation));
        }
    }
    Ok(())
}
