//! A NaN reaches what depends on it and nothing else.

use super::{
    cases::{Case, one_of_each},
    op::{BOTH, Implementation, Op},
    pullback::{pull, upstream, values},
};
use candle_core::{DType::F64, Device, Result, Tensor};
use normbook_ops::normalize::Axes;

/// Returns the inputs of a case with another value at a place of the first one.
fn inputs(case: &Case, place: usize, value: f64) -> Result<Vec<Tensor>> {
    let mut inputs = case.inputs(F64)?;
    let mut all = values(&inputs[0])?;
    all[place] = value;
    inputs[0] = Tensor::from_vec(all, inputs[0].dims(), &Device::Cpu)?;
    Ok(inputs)
}

fn output(case: &Case, implementation: Implementation, inputs: &[Tensor]) -> Result<Vec<f64>> {
    values(&case.op.apply(implementation, inputs)?)
}

/// Returns the number of values of an example in the first input.
fn values_per_example(case: &Case) -> usize {
    case.dims[0][1..].iter().product()
}

/// Outputs become NaN exactly where a large value would change them.
#[test]
fn reaches_what_depends_on_it() -> Result<()> {
    for case in one_of_each() {
        let places = (0..values_per_example(&case)).step_by(values_per_example(&case).div_ceil(30));
        for (place, implementation) in places.flat_map(|place| BOTH.map(|implementation| (place, implementation))) {
            let before = output(&case, implementation, &case.inputs(F64)?)?;
            let changed = output(&case, implementation, &inputs(&case, place, 1e3)?)?;
            let with_nan = output(&case, implementation, &inputs(&case, place, f64::NAN)?)?;
            let outputs = with_nan.len();
            for (index, ((before, changed), with_nan)) in before.iter().zip(changed).zip(with_nan).enumerate() {
                if *before == 0.0 && changed == 0.0 {
                    continue; // ReLU may hide a change
                }
                // A tile spreads NaN within the example.
                let in_tile = case.in_tiles() && matches!(implementation, Implementation::Fused) && with_nan.is_nan();
                let expected = changed != *before || (in_tile && index < outputs / case.dims[0][0]);
                assert_eq!(
                    with_nan.is_nan(),
                    expected,
                    "{case:?}, {implementation:?}: NaN at {place}, output {index}: {with_nan}"
                );
            }
        }
    }
    Ok(())
}

/// A NaN does not reach the gradients of other examples unless the batch shares its statistics.
#[test]
fn leaves_the_gradients_of_other_examples() -> Result<()> {
    let shares =
        |op: &Op| matches!(op, Op::Normalize(config, _) | Op::Block(_, config, _) if config.axes == Axes::Batch);
    for case in one_of_each().iter().filter(|case| !shares(&case.op)) {
        for implementation in BOTH {
            let inputs = inputs(case, 0, f64::NAN)?;
            let pulled = pull(|inputs| case.op.apply(implementation, inputs), &inputs, upstream)?;
            let others = &pulled[1][values_per_example(case)..];
            assert!(others.iter().all(|value| value.is_finite()), "{case:?}, {implementation:?}: {others:?}");
        }
    }
    Ok(())
}
