//! The memory layout of a tensor changes no bit in the fused implementations and only rounding in the composed ones:
//! inputs, outputs and upstream gradients may be transposed, narrowed or broadcast.

use super::{
    cases::{Case, one_of_each},
    op::{
        BOTH,
        Implementation::{self, Composed, Fused},
    },
    pullback::{assert_close, pull, upstream},
};
use candle_core::{
    DType::{self, F32, F64},
    Result, Tensor,
};

/// Returns the same values with the last dimension outermost in memory.
fn transposed(tensor: &Tensor) -> Result<Tensor> {
    match tensor.rank() {
        0 | 1 => Ok(tensor.clone()),
        rank => tensor.transpose(0, rank - 1)?.contiguous()?.transpose(0, rank - 1),
    }
}

/// Returns the same values as the middle of a tensor that is longer along each dimension.
fn narrowed(tensor: &Tensor) -> Result<Tensor> {
    (0..tensor.rank()).try_fold(tensor.clone(), |tensor, axis| {
        let length = tensor.dim(axis)?;
        let others = tensor.ones_like()?;
        Tensor::cat(&[&others, &tensor, &others], axis)?.narrow(axis, length, length)
    })
}

/// Returns the same values, contiguous after others.
fn shifted(tensor: &Tensor) -> Result<Tensor> {
    match tensor.rank() {
        0 => Ok(tensor.clone()),
        _ => Tensor::cat(&[&tensor.ones_like()?, tensor], 0)?.narrow(0, tensor.dim(0)?, tensor.dim(0)?),
    }
}

/// Returns the output and the gradients of a case whose inputs and output are arranged in memory.
fn pull_arranged(
    case: &Case,
    implementation: Implementation,
    dtype: DType,
    arrange: fn(&Tensor) -> Result<Tensor>,
) -> Vec<Vec<f64>> {
    let arranged = |inputs: &[Tensor]| {
        let inputs: Vec<Tensor> = inputs.iter().map(arrange).collect::<Result<_>>()?;
        arrange(&case.op.apply(implementation, &inputs)?)
    };
    pull(arranged, &case.inputs(dtype).unwrap(), upstream).unwrap()
}

#[test]
fn transposed_narrowed_and_shifted() {
    for case in one_of_each() {
        for arrange in [transposed, narrowed, shifted] {
            for dtype in [F32, F64] {
                assert_eq!(pull_arranged(&case, Fused, dtype, arrange), case.pull(Fused, dtype), "{case:?}, {dtype:?}");
            }
            let found = pull_arranged(&case, Composed, F64, arrange);
            assert_close(&found, &case.pull(Composed, F64), 1e-12, &case);
        }
    }
}

/// The gradient of a sum is one number, broadcast to its input.
#[test]
fn broadcast_upstream() -> Result<()> {
    for case in one_of_each() {
        for implementation in BOTH {
            let inputs = case.inputs(F64)?;
            let apply = |inputs: &[Tensor]| case.op.apply(implementation, inputs);
            let ones = pull(apply, &inputs, Tensor::ones_like)?;
            let summed = pull(|inputs| apply(inputs)?.sum_all(), &inputs, Tensor::ones_like)?;
            assert_eq!(ones[1..], summed[1..], "{case:?}, {implementation:?}");
        }
    }
    Ok(())
}
