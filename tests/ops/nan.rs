//! A NaN reaches what depends on it and nothing else.

use crate::{
    cases::{Case, one_of_each},
    op::{BOTH, Op, Version},
    pullback::{pull, upstream, values},
};
use candle_core::{DType::F64, Device, Result, Tensor};
use normbook_ops::normalize::Axes;

/// The inputs of a case with another value in the first one.
fn inputs(case: &Case, place: usize, value: f64) -> Result<Vec<Tensor>> {
    let mut inputs = case.inputs(F64)?;
    let mut all = values(&inputs[0])?;
    all[place] = value;
    inputs[0] = Tensor::from_vec(all, inputs[0].dims(), &Device::Cpu)?;
    Ok(inputs)
}

fn output(case: &Case, version: Version, inputs: &[Tensor]) -> Result<Vec<f64>> {
    values(&case.op.apply(version, inputs)?)
}

/// How many values of the first input an example has.
fn of_example(case: &Case) -> usize {
    case.dims[0][1..].iter().product()
}

/// Outputs become NaN where another, large value would have changed them.
#[test]
fn reaches_what_depends_on_it() -> Result<()> {
    for case in one_of_each() {
        let places = (0..of_example(&case)).step_by(of_example(&case).div_ceil(30));
        for (place, version) in places.flat_map(|place| BOTH.map(|version| (place, version))) {
            let before = output(&case, version, &case.inputs(F64)?)?;
            let changed = output(&case, version, &inputs(&case, place, 1e3)?)?;
            let spoilt = output(&case, version, &inputs(&case, place, f64::NAN)?)?;
            let of_output = spoilt.len();
            for (index, ((before, changed), spoilt)) in before.iter().zip(changed).zip(spoilt).enumerate() {
                if *before == 0.0 && changed == 0.0 {
                    continue; // ReLU may hide a change
                }
                // A tile shares it, within the example.
                let in_tile = case.in_tiles() && matches!(version, Version::Fused) && spoilt.is_nan();
                let expected = changed != *before || (in_tile && index < of_output / case.dims[0][0]);
                assert_eq!(
                    spoilt.is_nan(),
                    expected,
                    "{case:?}, {version:?}: NaN at {place}, output {index}: {spoilt}"
                );
            }
        }
    }
    Ok(())
}

/// Not even gradients of other examples, unless the batch shares its statistics.
#[test]
fn leaves_the_gradients_of_other_examples() -> Result<()> {
    let shares = |op: &Op| matches!(op, Op::Normalize(how, _) | Op::Block(_, how, _) if how.over == Axes::Batch);
    for case in one_of_each().iter().filter(|case| !shares(&case.op)) {
        for version in BOTH {
            let inputs = inputs(case, 0, f64::NAN)?;
            let pulled = pull(|inputs| case.op.apply(version, inputs), &inputs, upstream)?;
            let others = &pulled[1][of_example(case)..];
            assert!(others.iter().all(|value| value.is_finite()), "{case:?}, {version:?}: {others:?}");
        }
    }
    Ok(())
}
