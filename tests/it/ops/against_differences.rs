//! Comparison of gradients with central differences of the outputs, along a random direction for each input.

use super::{
    cases::{Case, for_every_operation},
    op::{BOTH, Implementation},
    pullback::{normal, upstream, values},
};
use candle_core::{DType, Result, Tensor};

/// Half the width of a central difference.
const STEP: f64 = 1e-6;

/// Returns ⟨r, output⟩.
fn loss(case: &Case, implementation: Implementation, inputs: &[Tensor]) -> Result<f64> {
    let output = case.op.apply(implementation, inputs)?;
    (&output * upstream(&output)?)?.sum_all()?.to_scalar()
}

/// Returns the central difference of the loss along a direction of one input.
fn difference(case: &Case, implementation: Implementation, index: usize, direction: &Tensor) -> Result<f64> {
    let inputs = case.inputs(DType::F64)?;
    let moved = |by: f64| {
        let mut inputs = inputs.clone();
        inputs[index] = (&inputs[index] + (direction * by)?)?;
        loss(case, implementation, &inputs)
    };
    Ok((moved(STEP)? - moved(-STEP)?) / (2.0 * STEP))
}

/// Asserts that the gradients of a case are central differences.
fn follow(case: &Case) {
    for implementation in BOTH {
        let pulled = case.pull(implementation, DType::F64);
        for (index, (gradient, dims)) in pulled[1..].iter().zip(&case.dims).enumerate() {
            let direction = normal(case.seed, 100 + index as u64, dims).unwrap();
            let expected = difference(case, implementation, index, &direction).unwrap();
            let terms = gradient.iter().zip(values(&direction).unwrap()).map(|(gradient, by)| gradient * by);
            let (found, scale) =
                terms.fold((0.0, 1.0), |(sum, scale): (f64, f64), term| (sum + term, scale + term.abs()));
            assert!(
                (found - expected).abs() <= 1e-6 * scale,
                "{case:?}, {implementation:?}: along a direction of input {index}: {found}, the difference {expected}"
            );
        }
    }
}

for_every_operation!(follow, 64);
