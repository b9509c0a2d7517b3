//! One number per channel: `[C]` against activations `[N, C, ..]`, and one per unit of a weight `[O, ..]`.

use candle_core::{Result, Tensor};

/// Reshapes `[C]` to `[1, C, 1, ..]` with `rank` axes, which broadcasts to `[N, C, ..]`.
pub fn per_channel(values: &Tensor, rank: usize) -> Result<Tensor> {
    let shape: Vec<usize> = (0..rank).map(|axis| if axis == 1 { values.elem_count() } else { 1 }).collect();
    values.reshape(shape)
}

/// Computes x − v, each channel of x `[N, C, ..]` minus its number of v `[C]`.
pub fn subtract_per_channel(input: &Tensor, values: &Tensor) -> Result<Tensor> {
    input.broadcast_sub(&per_channel(values, input.rank())?)
}

/// Computes x / v, each channel of x `[N, C, ..]` divided by its number of v `[C]`.
pub fn divide_per_channel(input: &Tensor, values: &Tensor) -> Result<Tensor> {
    input.broadcast_div(&per_channel(values, input.rank())?)
}

/// Computes γ x̂ + β for x̂ of `[N, C, ..]`, γ and β of `[C]`.
pub fn scale_shift(normalized: &Tensor, gamma: &Tensor, beta: &Tensor) -> Result<Tensor> {
    let of_channel = |values: &Tensor| per_channel(values, normalized.rank());
    normalized.broadcast_mul(&of_channel(gamma)?)?.broadcast_add(&of_channel(beta)?)
}

/// Computes y = γ (x − μ) / d + β with a mean μ and a divisor d that do not depend on x, as evaluation with moving
/// averages does. `affine` is γ and β; all are `[C]`.
pub fn normalize_with(input: &Tensor, affine: [&Tensor; 2], mean: &Tensor, divisor: &Tensor) -> Result<Tensor> {
    let [gamma, beta] = affine;
    let of_channel = |values: &Tensor| per_channel(values, input.rank());
    let centered = input.broadcast_sub(&of_channel(mean)?)?;
    centered.broadcast_mul(&of_channel(&(gamma / divisor)?)?)?.broadcast_add(&of_channel(beta)?)
}

/// Lays the values of each channel in a row: `[N, C, ..] -> [C, M]`, M = N times the positions in space.
pub fn rows_of_channels(input: &Tensor) -> Result<Tensor> {
    input.transpose(0, 1)?.contiguous()?.flatten_from(1)
}

/// Takes the mean of each channel over examples and space, `[N, C, ..] -> [C]`. Gradients flow through it.
pub fn mean_of_channels(input: &Tensor) -> Result<Tensor> {
    rows_of_channels(input)?.mean(1)
}

/// Takes ‖w‖ of each unit of a weight, `[O, ..] -> [O]`. Gradients flow through it.
pub fn lengths_of_units(weight: &Tensor) -> Result<Tensor> {
    weight.flatten_from(1)?.sqr()?.sum(1)?.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Two examples of two channels of two values.
    fn input() -> Tensor {
        Tensor::new(&[[[1f64, 2.0], [10.0, 20.0]], [[3.0, 4.0], [30.0, 40.0]]], &Device::Cpu).unwrap()
    }

    fn row(values: [f64; 2]) -> Tensor {
        Tensor::new(&values, &Device::Cpu).unwrap()
    }

    #[test]
    fn each_channel_has_its_numbers() {
        assert_eq!(mean_of_channels(&input()).unwrap().to_vec1::<f64>().unwrap(), [2.5, 25.0]);
        let [gamma, beta] = [row([2.0, 3.0]), row([0.5, -1.0])];
        let output = normalize_with(&input(), [&gamma, &beta], &row([1.0, 10.0]), &row([4.0, 6.0])).unwrap();
        let expected = [[[0.5, 1.0], [-1.0, 4.0]], [[1.5, 2.0], [9.0, 14.0]]];
        let nested = |tensor: &Tensor| tensor.to_vec3::<f64>().unwrap();
        assert_eq!(nested(&output), expected.map(|example| example.map(Vec::from).to_vec()));
        let x_hat =
            Tensor::new(&[[[0.0, 0.25], [0.0, 5.0 / 3.0]], [[0.5, 0.75], [10.0 / 3.0, 5.0]]], &Device::Cpu).unwrap();
        assert_eq!(nested(&scale_shift(&x_hat, &gamma, &beta).unwrap()), nested(&output));
    }
}
