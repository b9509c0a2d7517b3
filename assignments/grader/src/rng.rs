//! Random numbers for the inputs of tests. A seed gives the same bits on every platform.

use crate::value::Value;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The seed of the public tests. Hidden tests have another seed.
pub const PUBLIC_SEED: u64 = 0;

/// A stream of random numbers.
pub struct Rng(ChaCha8Rng);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Draws a uniform number in `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// Draws a whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        // Drawn as u32, because a usize takes other bits on a 32-bit machine.
        let end = u32::try_from(end).expect("the numbers of an exercise are small");
        self.0.random_range(0..end) as usize
    }

    /// Draws a standard normal number with Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let square = u * u + v * v;
            if square > 0.0 && square < 1.0 {
                return u * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// Draws independent normal numbers.
    pub fn normals(&mut self, shape: &[usize], standard_deviation: f64, mean: f64) -> Value {
        let values = (0..shape.iter().product()).map(|_| mean + standard_deviation * self.normal()).collect();
        Value { shape: shape.to_vec(), values }
    }

    /// Gives `mean` + `standard_deviation` and `mean` − `standard_deviation` equally often, in random order.
    ///
    /// If rounding loses `standard_deviation`² next to `mean`² and all other sums are exact, E[x²] − E[x]² is 0 in
    /// every order of summation. The grader therefore recognizes this mistake by its answer.
    pub fn two_values_around(&mut self, mean: f64, standard_deviation: f64, count: usize) -> Vec<f64> {
        let offsets = [standard_deviation, -standard_deviation];
        let mut values: Vec<f64> = (0..count).map(|index| mean + offsets[index % 2]).collect();
        for last in (1..count).rev() {
            values.swap(last, self.below(last + 1));
        }
        values
    }

    /// Draws a mean of about a billion and a standard deviation of a few units, for `two_values_around` in 64 bits.
    pub fn large_mean(&mut self) -> (f64, f64) {
        (((16_384 + self.below(12_000)) * 65_536) as f64, (2 + self.below(6)) as f64)
    }

    /// Draws independent uniform numbers in `[low, high)`.
    pub fn uniforms(&mut self, shape: &[usize], low: f64, high: f64) -> Value {
        let values = (0..shape.iter().product()).map(|_| self.uniform(low, high)).collect();
        Value { shape: shape.to_vec(), values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden values: `tests.json` depends on every bit of them.
    #[test]
    fn the_draws_never_change() {
        let mut rng = Rng::new(7);
        let drawn = (rng.below(1000), rng.uniform(0.0, 1.0).to_bits(), rng.normal().to_bits());
        assert_eq!(drawn, (140, 4595727245440725672, 13829189241063553356));
    }

    /// Sums squares forwards, backwards and as quotients, in 64 bits and in the 32 bits that A2 asks for.
    #[test]
    fn around_a_large_mean_the_mean_square_minus_the_squared_mean_is_0() {
        let mut rng = Rng::new(3);
        for count in [4, 16, 64] {
            let (drawn, standard_deviation) = rng.large_mean();
            let values = rng.two_values_around(drawn, standard_deviation, count);
            let n = count as f64;
            let mean = values.iter().sum::<f64>() / n;
            assert!(mean == drawn && values.iter().all(|x| (x - mean).abs() == standard_deviation));
            let sums = [
                values.iter().map(|x| x * x).sum::<f64>() / n,
                values.iter().rev().map(|x| x * x).sum::<f64>() / n,
                values.iter().map(|x| x * x / n).sum(),
            ];
            assert_eq!(sums.map(|square| square - mean * mean), [0.0; 3]);
            let narrow: Vec<f32> = rng.two_values_around(40_960.0, 5.0, count).iter().map(|x| *x as f32).collect();
            let mean = narrow.iter().sum::<f32>() / count as f32;
            assert_eq!(narrow.iter().map(|x| x * x).sum::<f32>() / count as f32 - mean * mean, 0.0);
        }
    }

    #[test]
    fn normal_numbers_have_their_mean_and_standard_deviation() {
        let values = Rng::new(1).normals(&[100, 100], 2.0, 5.0).values;
        let mean = values.iter().sum::<f64>() / 1e4;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1e4;
        assert!((mean - 5.0).abs() < 0.08 && (variance - 4.0).abs() < 0.25, "{mean} {variance}");
    }
}
