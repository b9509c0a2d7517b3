//! The normalization of the values of one set in one channel, once the statistics are known.

use super::{config::Normalization, statistics::SetStatistics};
use crate::{element::Element, vector::vectorized};

/// y = factor · (x − center) + shift, with factor = γ / d, center = μ and shift = β.
pub struct Affine<T> {
    center: T,
    factor: T,
    shift: T,
}

impl<T: Element> Affine<T> {
    pub fn new(config: Normalization, set: SetStatistics, weight: T, bias: T) -> Self {
        let factor = weight / T::from_f64(config.divisor(set.scale_stat));
        Self { center: T::from_f64(set.mean), factor, shift: bias }
    }

    /// Writes f(y) for each x of `input` to `out`.
    pub fn apply(&self, input: &[T], out: &mut [T], f: impl Fn(T) -> T) {
        vectorized(|| {
            for (out, x) in out.iter_mut().zip(input) {
                *out = f(self.factor * (*x - self.center) + self.shift);
            }
        });
    }
}
