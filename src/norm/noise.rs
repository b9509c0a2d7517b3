//! The noise of Santurkar et al. 2018 (arXiv:1805.11604, appendix, Algorithm 1, "noisy BatchNorm").
//!
//! At every training step t, for every unit j (of a convolution: channel) of every layer:
//! μ  ~ U(−n_μ, n_μ),  σ ~ U(1, n_σ)           drawn once for the unit
//! m_i ~ U(μ − r_μ, μ + r_μ),  s_i ~ N(σ, r_σ)  drawn for each value i of the unit in the batch, pixels included
//! a_i ← s_i a_i + m_i
//! with n_μ = 0.5, n_σ = 1.25, r_μ = r_σ = 0.1. It stands behind BatchNorm with its γ and β, before the activation.
//!
//! Where the paper leaves a choice: r_σ is taken for a standard deviation, as N(σ, r_σ) may also mean a variance. In
//! evaluation, of which the paper says nothing, the noise gives way to its mean, a ← ½ (1 + n_σ) a: without that every next
//! layer would meet smaller values than in training. No gradient flows to the noise. Of our own making is the noise in
//! parts of the unit's deviation over the batch, m_i ← m_i σ_j(a), σ_j(a) without gradient: behind a BatchNorm with γ = 1 the
//! two are the same, elsewhere the paper's noise is as large as it is whatever it is added to.

use super::{
    Mode, Norm, Pass,
    batch::{BatchNorm, Config},
    per_channel::per_channel,
    running::Running,
};
use candle_core::{DType, Device, Result, Tensor, Var};
use normbook_lab::seed::Purpose;
use normbook_ops::{block::BlockInput, normalize::Epilogue};
use serde::{Deserialize, Serialize};

// ANCHOR: constants
const N_MU: f64 = 0.5;
const N_SIGMA: f64 = 1.25;
const R_MU: f64 = 0.1;
const R_SIGMA: f64 = 0.1;
// ANCHOR_END: constants

/// What the shifts m are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Nothing: the paper's.
    Absolute,
    /// The deviation of the unit's values over the batch.
    OfDeviation,
}

/// The layer, for `[N, C, ..]`.
pub struct Noise {
    /// What comes before.
    norm: Option<BatchNorm>,
    size: Size,
}

impl Noise {
    /// The paper's noisy BatchNorm.
    pub fn behind_batch_norm(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        Ok(Self { norm: Some(BatchNorm::new(channels, Config::default(), dtype, device)?), size: Size::Absolute })
    }

    /// The noise without a normalization.
    pub fn alone(size: Size) -> Self {
        Self { norm: None, size }
    }

    // ANCHOR: noise
    fn noisy(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        if pass.mode == Mode::Eval {
            return input * ((1.0 + N_SIGMA) / 2.0);
        }
        let stream = &mut pass.seed.stream(Purpose::Noise, pass.step);
        let (count, channels) = (input.elem_count(), input.dim(1)?);
        let units: Vec<(f64, f64)> =
            (0..channels).map(|_| (stream.uniform(-N_MU, N_MU), stream.uniform(1.0, N_SIGMA))).collect();
        let values_of_unit: usize = input.dims()[2..].iter().product();
        let (mut shifts, mut scales) = (Vec::with_capacity(count), Vec::with_capacity(count + 1));
        let mut deviates = [0.0; 2];
        for index in 0..count {
            let (mu, sigma) = units[index / values_of_unit % channels];
            if index % 2 == 0 {
                deviates = stream.normal_pair();
            }
            shifts.push(stream.uniform(mu - R_MU, mu + R_MU) as f32);
            scales.push((sigma + R_SIGMA * deviates[index % 2]) as f32);
        }
        let tensor = |values| Tensor::from_vec(values, input.shape(), input.device())?.to_dtype(input.dtype());
        let (shifts, scales) = (tensor(shifts)?, tensor(scales)?);
        let shifts = match self.size {
            Size::Absolute => shifts,
            Size::OfDeviation => shifts.broadcast_mul(&deviations(&input.detach())?)?,
        };
        (input * scales)? + shifts
    }
    // ANCHOR_END: noise
}

/// Of each unit over the batch, shaped to multiply `[N, C, ..]`.
fn deviations(input: &Tensor) -> Result<Tensor> {
    let units = input.transpose(0, 1)?.contiguous()?.flatten_from(1)?;
    let centred = units.broadcast_sub(&units.mean_keepdim(1)?)?;
    per_channel(&centred.sqr()?.mean_keepdim(1)?.sqrt()?, input.rank())
}

impl Norm for Noise {
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(input), pass, Epilogue::NOTHING)
    }

    fn forward_then(&self, source: BlockInput, pass: Pass, then: Epilogue) -> Result<Tensor> {
        let values = match &self.norm {
            Some(norm) => norm.forward_then(source, pass, Epilogue::NOTHING)?,
            None => source.tensor()?,
        };
        then.apply(&self.noisy(&values, pass)?)
    }

    fn parameters(&self) -> Vec<Var> {
        self.norm.as_ref().map(Norm::parameters).unwrap_or_default()
    }

    fn running(&self) -> Option<&Running> {
        self.norm.as_ref().and_then(Norm::running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook_lab::seed::Seed;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Zeros show m, the difference to ones shows s. Within a unit m is uniform over 0.2 and s normal with deviation 0.1.
    #[test]
    fn the_constants_are_those_of_the_paper() {
        let noise = Noise::alone(Size::Absolute);
        let (examples, units) = (2000, 200);
        let of = |input: Tensor| values(&noise.forward(&input, Pass::train(3, Seed(1))).unwrap());
        let shape = (examples, units);
        let shifts = of(Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap());
        let both = of(Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap());
        let (mut lowest, mut highest) = ([f64::MAX; 2], [f64::MIN; 2]);
        for unit in 0..units {
            let column = |row: usize| row * units + unit;
            let m: Vec<f64> = (0..examples).map(|row| f64::from(shifts[column(row)])).collect();
            let s: Vec<f64> = (0..examples).map(|row| f64::from(both[column(row)] - shifts[column(row)])).collect();
            let mean = |values: &[f64]| values.iter().sum::<f64>() / examples as f64;
            let deviation = |values: &[f64]| {
                let mean = mean(values);
                (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / examples as f64).sqrt()
            };
            let middle = mean(&m);
            assert!(m.iter().all(|m| (m - middle).abs() < 0.11));
            assert!((deviation(&m) - 0.2 / 12f64.sqrt()).abs() < 0.004 && (deviation(&s) - 0.1).abs() < 0.01);
            for (index, value) in [mean(&m), mean(&s)].into_iter().enumerate() {
                lowest[index] = lowest[index].min(value);
                highest[index] = highest[index].max(value);
            }
        }
        assert!(-0.51 < lowest[0] && lowest[0] < -0.45 && 0.45 < highest[0] && highest[0] < 0.51, "{lowest:?}");
        assert!(0.99 < lowest[1] && lowest[1] < 1.02 && 1.23 < highest[1] && highest[1] < 1.26, "{highest:?}");
    }

    /// One μ and σ for all images and pixels of a channel, and an m and s of its own for each pixel.
    #[test]
    fn a_channel_has_one_noise_and_its_pixels_their_own() {
        let noise = Noise::alone(Size::Absolute);
        let (images, channels, pixels) = (40, 3, 30);
        let of = |input: Tensor| values(&noise.forward(&input, Pass::train(3, Seed(1))).unwrap());
        let shape = (images, channels, 5, 6);
        let shifts = of(Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap());
        let both = of(Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap());
        let mut middles = Vec::new();
        for channel in 0..channels {
            let places: Vec<usize> = (0..images)
                .flat_map(|image| (0..pixels).map(move |pixel| (image * channels + channel) * pixels + pixel))
                .collect();
            let [lowest, highest] =
                [f32::min, f32::max].map(|end| places.iter().map(|place| shifts[*place]).reduce(end).unwrap());
            assert!(0.19 < highest - lowest && highest - lowest < 0.2 + 1e-6, "{lowest} {highest}");
            let scales: Vec<f32> = places.iter().map(|place| both[*place] - shifts[*place]).collect();
            let mean = scales.iter().sum::<f32>() / scales.len() as f32;
            let square = scales.iter().map(|scale| (scale - mean).powi(2)).sum::<f32>() / scales.len() as f32;
            assert!((square.sqrt() - 0.1).abs() < 0.01, "{}", square.sqrt());
            middles.push(((lowest + highest) / 2.0, mean));
        }
        let apart =
            |one: (f32, f32), other: (f32, f32)| (one.0 - other.0).abs() > 0.02 && (one.1 - other.1).abs() > 0.02;
        assert!(apart(middles[0], middles[1]) && apart(middles[1], middles[2]), "{middles:?}");
    }

    #[test]
    fn the_same_step_has_the_same_noise_and_evaluation_its_mean() {
        for noise in [Noise::alone(Size::Absolute), Noise::behind_batch_norm(3, DType::F32, &Device::Cpu).unwrap()] {
            let mut stream = Seed(0).stream(Purpose::Init, 0);
            let input = stream.normal_tensor((4, 3, 2, 2), 1.0, &Device::Cpu).unwrap();
            let of = |pass| values(&noise.forward(&input, pass).unwrap());
            let probed = of(Pass::probe(5, Seed(1)));
            assert_eq!(probed, of(Pass::probe(5, Seed(1))));
            assert_eq!(probed, of(Pass::train(5, Seed(1))));
            assert_ne!(probed, of(Pass::probe(6, Seed(1))));
            assert_ne!(probed, of(Pass::probe(5, Seed(1)).of_layer(1)));
        }
        let alone = Noise::alone(Size::Absolute);
        let ones = Tensor::ones((2, 3), DType::F32, &Device::Cpu).unwrap();
        assert_eq!(values(&alone.forward(&ones, Pass::EVAL).unwrap()), [1.125; 6]);
    }

    /// Ten times the values, ten times the noise.
    #[test]
    fn scaled_noise_goes_with_the_deviation() {
        let mut stream = Seed(0).stream(Purpose::Init, 0);
        let input = stream.normal_tensor((50, 3, 2, 2), 1.0, &Device::Cpu).unwrap();
        let noise = Noise::alone(Size::OfDeviation);
        let of = |factor: f64| values(&noise.forward(&(&input * factor).unwrap(), Pass::TRAIN).unwrap());
        for (one, ten) in of(1.0).iter().zip(of(10.0)) {
            assert!((10.0 * one - ten).abs() < 1e-4, "{one} {ten}");
        }
    }
}
