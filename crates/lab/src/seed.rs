//! Named random streams: the only place of the library that draws random numbers.
//!
//! A stream is a function of (seed, name, step): asking again gives the same numbers, so a probe can see the noise of
//! a step once more without moving the training on. The generator is ChaCha8, keyed by a hash of the three, and the
//! normal deviates use no function of the platform's mathematical library: every platform draws the same bits.
//! Numbers are drawn on the CPU and moved to the device.

use candle_core::{Device, Result, Shape, Tensor};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// All random streams of one trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

/// What a stream is for. Arms of a claim share the streams, so that they differ only in what the claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial weights.
    Init,
    /// Which examples train and which test.
    Split,
    /// Examples that are drawn, not read.
    Data,
    /// Which examples make up which batch.
    DataOrder,
    /// Noise that a method adds.
    Noise,
    /// Which units are dropped.
    Dropout,
    /// Directions and examples that a probe chooses.
    Probe,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Split => "split",
            Self::Data => "data",
            Self::DataOrder => "data order",
            Self::Noise => "noise",
            Self::Dropout => "dropout",
            Self::Probe => "probe",
        }
    }
}

impl Seed {
    /// The stream for `purpose` at `step`; things that are drawn once use step 0.
    pub fn stream(self, purpose: Purpose, step: u64) -> Stream {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update(step.to_le_bytes());
        hash.update(purpose.name());
        Stream { generator: ChaCha8Rng::from_seed(hash.finalize().into()) }
    }

    /// Another seed for a part of the trial, such as a layer, so that each part has streams of its own.
    pub fn branch(self, part: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"branch");
        hash.update(self.0.to_le_bytes());
        hash.update(part.to_le_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        Self(digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// A stream of random numbers.
pub struct Stream {
    generator: ChaCha8Rng,
}

impl Stream {
    /// Uniform in `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.generator.random::<f64>()
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        self.normal_pair()[0]
    }

    /// Two independent standard normal deviates, by Marsaglia's polar method.
    pub fn normal_pair(&mut self) -> [f64; 2] {
        loop {
            let (u, v) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let square = u * u + v * v;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * libm::log(square) / square).sqrt();
                return [u * factor, v * factor];
            }
        }
    }

    /// A random order of `0..length`.
    pub fn permutation(&mut self, length: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..length).collect();
        order.shuffle(&mut self.generator);
        order
    }

    /// A tensor of independent normal deviates with mean 0 and the given standard deviation, in f32.
    pub fn normal_tensor(&mut self, shape: impl Into<Shape>, deviation: f64, device: &Device) -> Result<Tensor> {
        let shape = shape.into();
        let values: Vec<f32> = (0..shape.elem_count()).map(|_| (deviation * self.normal()) as f32).collect();
        Tensor::from_vec(values, shape, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_function_of_seed_purpose_and_step() {
        let draw = |seed, purpose, step| Seed(seed).stream(purpose, step).normal();
        let first = draw(0, Purpose::Init, 0);
        assert_eq!(first, draw(0, Purpose::Init, 0));
        for other in [draw(1, Purpose::Init, 0), draw(0, Purpose::Noise, 0), draw(0, Purpose::Init, 1)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn branches_differ() {
        let branches = [Seed(0), Seed(0).branch(0), Seed(0).branch(1), Seed(1).branch(0), Seed(0).branch(0).branch(0)];
        for (index, branch) in branches.iter().enumerate() {
            assert!(!branches[..index].contains(branch));
        }
    }

    /// Golden values: the same bits on every platform and with every version of the generator.
    #[test]
    fn the_draws_never_change() {
        let mut stream = Seed(7).stream(Purpose::Init, 3);
        let normals: Vec<u64> = (0..3).map(|_| stream.normal().to_bits()).collect();
        insta::assert_debug_snapshot!((normals, stream.permutation(8), stream.uniform(0.0, 1.0).to_bits()));
    }

    #[test]
    fn normal_deviates_have_the_moments_of_a_normal() {
        let mut stream = Seed(0).stream(Purpose::Noise, 0);
        let draws: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
        let moment = |power: i32| draws.iter().map(|x| x.powi(power)).sum::<f64>() / draws.len() as f64;
        // Standard errors: 0.003, 0.0045, 0.012, 0.03; the bounds are four of them.
        assert!(moment(1).abs() < 0.013);
        assert!((moment(2) - 1.0).abs() < 0.018);
        assert!(moment(3).abs() < 0.05);
        assert!((moment(4) - 3.0).abs() < 0.13);
    }

    #[test]
    fn a_permutation_holds_each_index_once() {
        let mut order = Seed(5).stream(Purpose::DataOrder, 1).permutation(1000);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
    }
}
