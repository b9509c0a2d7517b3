//! Numbers of a channel each, `[C]`: on `[N, C, ..]`, or of a weight `[C, ..]`.

use candle_core::{Result, Tensor};

/// `[C]` as `[1, C, 1, ..]` of so many axes, which broadcasts to `[N, C, ..]`.
pub fn per_channel(values: &Tensor, axes: usize) -> Result<Tensor> {
    let shape: Vec<usize> = (0..axes).map(|axis| if axis == 1 { values.elem_count() } else { 1 }).collect();
    values.reshape(shape)
}

/// y = γ (x − μ) / d + β with μ and d that do not depend on the input: what evaluation is where the statistics are kept.
/// `affine` is γ and β; all are `[C]`.
pub fn normalize_with(input: &Tensor, affine: [&Tensor; 2], mean: &Tensor, divisor: &Tensor) -> Result<Tensor> {
    let [weight, bias] = affine;
    let of_channel = |values: &Tensor| per_channel(values, input.rank());
    let centred = input.broadcast_sub(&of_channel(mean)?)?;
    centred.broadcast_mul(&of_channel(&(weight / divisor)?)?)?.broadcast_add(&of_channel(bias)?)
}

/// The mean of each channel over examples and space, `[C]`. Gradients flow through it.
pub fn mean_of_channels(input: &Tensor) -> Result<Tensor> {
    input.transpose(0, 1)?.contiguous()?.flatten_from(1)?.mean(1)
}

/// ‖w‖ of each unit of a weight `[C, ..]`, `[C]`. Gradients flow through it.
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
        let [weight, bias] = [row([2.0, 3.0]), row([0.5, -1.0])];
        let output = normalize_with(&input(), [&weight, &bias], &row([1.0, 10.0]), &row([4.0, 6.0])).unwrap();
        assert_eq!(
            output.to_vec3::<f64>().unwrap(),
            [[[0.5, 1.0], [-1.0, 4.0]], [[1.5, 2.0], [9.0, 14.0]]].map(|example| example.map(Vec::from).to_vec())
        );
    }
}
