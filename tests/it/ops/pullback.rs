//! Random tensors, gradients for an upstream gradient, and the comparison of arrays.

use candle_core::{DType, Device, Result, Tensor, Var};
use normbook_lab::seed::{Purpose, Seed, Stream};
use std::fmt::Debug;

fn stream(seed: u64, step: u64) -> Stream {
    Seed(seed).stream(Purpose::Probe, step)
}

/// Returns independent standard normal values in f64, each of them exact in f32.
pub fn normal(seed: u64, step: u64, dims: &[usize]) -> Result<Tensor> {
    stream(seed, step).normal_tensor(dims, 1.0, &Device::Cpu)?.to_dtype(DType::F64)
}

/// Returns values between −2 and 2 in random order in f64, each of them exact in f32. None is 0 and no two have the
/// same absolute value, so functions with a kink or a maximum are differentiable there.
pub fn lattice(seed: u64, step: u64, dims: &[usize]) -> Result<Tensor> {
    let count = dims.iter().product();
    let value = |place| ((place as f64 + 0.3 - count as f64 / 2.0) * 4.0 / count as f64) as f32;
    let values: Vec<f32> = stream(seed, step).permutation(count).into_iter().map(value).collect();
    Tensor::from_vec(values, dims, &Device::Cpu)?.to_dtype(DType::F64)
}

/// Returns all values of a tensor, row by row.
pub fn values(tensor: &Tensor) -> Result<Vec<f64>> {
    tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
}

/// Returns the random upstream gradient r for an output.
pub fn upstream(output: &Tensor) -> Result<Tensor> {
    normal(u64::MAX, 0, output.dims())?.to_dtype(output.dtype())
}

/// Returns the values of f(inputs), and the gradients of ⟨r, f(inputs)⟩ with respect to each input, for r =
/// `upstream`(output).
pub fn pull(
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
    upstream: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Vec<Vec<f64>>> {
    let variables: Vec<Tensor> =
        inputs.iter().map(|input| Ok(Var::from_tensor(input)?.into_inner())).collect::<Result<_>>()?;
    let output = f(&variables)?;
    let gradients = (&output * upstream(&output)?)?.sum_all()?.backward()?;
    let gradients = variables.iter().map(|variable| gradients.get(variable).expect("each input has a gradient"));
    std::iter::once(&output).chain(gradients).map(values).collect()
}

/// Asserts that each array is as expected, within `tolerance` times its largest value or 1.
pub fn assert_close(found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64, context: impl Debug) {
    assert_eq!(found.len(), expected.len(), "{context:?}");
    for (array, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{context:?}: array {array}");
        let scale = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance * scale,
                "{context:?}: array {array} (0: output), value {index}: {found:e}, not {expected:e}; scale {scale:e}"
            );
        }
    }
}
