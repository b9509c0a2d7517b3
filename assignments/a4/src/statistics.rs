//! Mean and variance over sets of values, and the normalization that takes them from there.

use crate::{Norm, Shape};

/// One entry for each set, in the order of `Norm::set_of`.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    pub mean: Vec<f64>,
    /// Biased: the sum of squares divided by the number of values in the set.
    pub variance: Vec<f64>,
}

/// Mean and variance of each set S of the norm, in a batch `x` of the given shape. This is the only place of the
/// assignment that adds up values, for all four norms alike:
///
/// ```text
/// μ = 1/|S| Σ_{i ∈ S} xᵢ          σ² = 1/|S| Σ_{i ∈ S} (xᵢ − μ)²          (Wu & He, eq. 2, without ε)
/// ```
///
/// The variance has to be right, too, where the mean is millions of times larger than the deviation.
pub fn statistics(x: &[f64], shape: Shape, norm: Norm) -> Statistics {
    // SOLUTION the means first, then the mean squares around them
    let sets = norm.sets(shape);
    let size = (shape.len() / sets) as f64;
    let mut mean = vec![0.0; sets];
    for_each(shape, norm, |index, _, set| mean[set] += x[index] / size);
    let mut variance = vec![0.0; sets];
    for_each(shape, norm, |index, _, set| variance[set] += (x[index] - mean[set]).powi(2) / size);
    Statistics { mean, variance }
    // END
}

/// A batch, normalized. With the set S to which value i belongs and its channel k:
///
/// ```text
/// yᵢ = γₖ · (xᵢ − μ_S) / √(σ²_S + ε) + βₖ          (Wu & He, eq. 1 and 6)
/// ```
///
/// `gain` (γ) and `bias` (β) have an entry for each channel, whatever the norm. The answer has the shape of `x`.
pub fn normalize(x: &[f64], shape: Shape, norm: Norm, gain: &[f64], bias: &[f64], epsilon: f64) -> Vec<f64> {
    // SOLUTION take the statistics and normalize each value with those of its set
    let Statistics { mean, variance } = statistics(x, shape, norm);
    let mut y = vec![0.0; x.len()];
    for_each(shape, norm, |index, channel, set| {
        y[index] = gain[channel] * (x[index] - mean[set]) / (variance[set] + epsilon).sqrt() + bias[channel];
    });
    y
    // END
}

/// Calls `visit(index in the slice, channel, set)` for every value of the batch, in the order of the slice.
fn for_each(shape: Shape, norm: Norm, mut visit: impl FnMut(usize, usize, usize)) {
    // SOLUTION walk over the slice: find each value's example and channel, and from them its set
    for index in 0..shape.len() {
        let (example, channel) = (index / shape.plane() / shape.channels, index / shape.plane() % shape.channels);
        visit(index, channel, norm.set_of(shape, example, channel));
    }
    // END
}
