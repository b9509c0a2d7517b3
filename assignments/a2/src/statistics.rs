//! Mean and variance of each feature over the examples of a batch.

/// The mean and the biased variance of each feature j, `[N, D]` -> `[D]` and `[D]`:
///
/// ```text
/// μⱼ = 1/N Σᵢ xᵢⱼ          σⱼ² = 1/N Σᵢ (xᵢⱼ − μⱼ)²          (Algorithm 1, lines 1 and 2)
/// ```
pub fn mean_and_variance(x: &[f64], features: usize) -> (Vec<f64>, Vec<f64>) {
    // SOLUTION two passes: the means first, then the mean squares around them
    let n = (x.len() / features) as f64;
    let mut mean = vec![0.0; features];
    for row in x.chunks(features) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / n);
    }
    let mut variance = vec![0.0; features];
    for row in x.chunks(features) {
        for (feature, x) in row.iter().enumerate() {
            variance[feature] += (x - mean[feature]).powi(2) / n;
        }
    }
    (mean, variance)
    // END
}

/// The same of numbers with 32 bits, which nets compute with: seven digits and a bit.
///
/// The inputs have a mean of 10⁴ and a deviation of about 1, and the answer has to be right to three digits. Calculate
/// with `f32` throughout, as a kernel on a graphics card would.
pub fn mean_and_variance_f32(x: &[f32], features: usize) -> (Vec<f32>, Vec<f32>) {
    // SOLUTION the same two passes: why is the mean of the squares less the square of the mean no good here?
    let n = (x.len() / features) as f32;
    let mut mean = vec![0.0; features];
    for row in x.chunks(features) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / n);
    }
    let mut variance = vec![0.0; features];
    for row in x.chunks(features) {
        for (feature, x) in row.iter().enumerate() {
            variance[feature] += (x - mean[feature]).powi(2) / n;
        }
    }
    (mean, variance)
    // END
}
