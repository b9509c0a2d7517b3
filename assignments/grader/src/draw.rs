//! Random inputs of tests: a function of the seed, the same bits on every platform.

use crate::value::Value;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The seed of the public tests. Hidden tests are drawn from any other.
pub const PUBLIC_SEED: u64 = 0;

/// A stream of random numbers.
pub struct Draw(ChaCha8Rng);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform in `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        // By way of u32: a usize would be drawn from other bits on a machine of 32.
        let end = u32::try_from(end).expect("the numbers of an exercise are small");
        self.0.random_range(0..end) as usize
    }

    /// Standard normal, by Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let square = u * u + v * v;
            if square > 0.0 && square < 1.0 {
                return u * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// `shift` + `scale` · normal deviates.
    pub fn normals(&mut self, shape: &[usize], scale: f64, shift: f64) -> Value {
        let values = (0..shape.iter().product()).map(|_| shift + scale * self.normal()).collect();
        Value { shape: shape.to_vec(), values }
    }

    /// Half of the numbers `deviation` above `centre`, half as far below, in random order.
    ///
    /// Where `deviation`² is lost beside `centre`² and all other sums are exact, E[x²] − E[x]² is 0 in whatever order
    /// somebody adds up: so the mistake is known by its answer.
    pub fn around(&mut self, centre: f64, deviation: f64, count: usize) -> Vec<f64> {
        let mut values: Vec<f64> = (0..count).map(|index| centre + [deviation, -deviation][index % 2]).collect();
        for last in (1..count).rev() {
            values.swap(last, self.below(last + 1));
        }
        values
    }

    /// A centre and a deviation for `around` in 64 bits: about a billion, a few units.
    pub fn large_centre(&mut self) -> (f64, f64) {
        (((16_384 + self.below(12_000)) * 65_536) as f64, (2 + self.below(6)) as f64)
    }

    /// Uniform numbers in `[low, high)`.
    pub fn uniforms(&mut self, shape: &[usize], low: f64, high: f64) -> Value {
        let values = (0..shape.iter().product()).map(|_| self.uniform(low, high)).collect();
        Value { shape: shape.to_vec(), values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden values: tests.json depends on every bit of them.
    #[test]
    fn the_draws_never_change() {
        let mut draw = Draw::new(7);
        let drawn = (draw.below(1000), draw.uniform(0.0, 1.0).to_bits(), draw.normal().to_bits());
        assert_eq!(drawn, (140, 4595727245440725672, 13829189241063553356));
    }

    /// Squares summed forwards, backwards and in parts, in 64 bits and in the 32 that A2 asks for.
    #[test]
    fn around_a_large_centre_the_mean_square_less_the_squared_mean_is_nothing() {
        let mut draw = Draw::new(3);
        for count in [4, 16, 64] {
            let (centre, deviation) = draw.large_centre();
            let values = draw.around(centre, deviation, count);
            let n = count as f64;
            let mean = values.iter().sum::<f64>() / n;
            assert!(mean == centre && values.iter().all(|x| (x - mean).abs() == deviation));
            let sums = [
                values.iter().map(|x| x * x).sum::<f64>() / n,
                values.iter().rev().map(|x| x * x).sum::<f64>() / n,
                values.iter().map(|x| x * x / n).sum(),
            ];
            assert_eq!(sums.map(|square| square - mean * mean), [0.0; 3]);
            let narrow: Vec<f32> = draw.around(40_960.0, 5.0, count).iter().map(|x| *x as f32).collect();
            let mean = narrow.iter().sum::<f32>() / count as f32;
            assert_eq!(narrow.iter().map(|x| x * x).sum::<f32>() / count as f32 - mean * mean, 0.0);
        }
    }

    #[test]
    fn normal_deviates_have_mean_and_deviation_of_a_normal() {
        let values = Draw::new(1).normals(&[100, 100], 2.0, 5.0).values;
        let mean = values.iter().sum::<f64>() / 1e4;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1e4;
        assert!((mean - 5.0).abs() < 0.08 && (variance - 4.0).abs() < 0.25, "{mean} {variance}");
    }
}
