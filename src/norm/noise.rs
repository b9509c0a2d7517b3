//! The noise of Santurkar et al. 2018 (arXiv:1805.11604, appendix A, Algorithm 1); with batch normalization before
//! it, it is their "noisy BatchNorm".
//!
//! At every training step t, for every unit j (of a convolution: channel) of every layer:
//! μ  ~ U(−n_μ, n_μ),  σ ~ U(1, n_σ)            drawn once for the unit
//! m_i ~ U(μ − r_μ, μ + r_μ),  s_i ~ N(σ, r_σ)   drawn for each value i of the unit in the batch, pixels included
//! a_i ← s_i a_i + m_i
//! with n_μ = 0.5, n_σ = 1.25, r_μ = r_σ = 0.1, after γ and β and before the activation.
//!
//! Not in the paper: r_σ is taken for a standard deviation, as N(σ, r_σ) may also mean a variance. In evaluation the
//! noise gives way to its mean, a ← ½ (1 + n_σ) a: otherwise every next layer would meet smaller values than in
//! training. No gradient flows to the noise. [`NoiseScale::Relative`] is ours.

use super::{
    Mode, Norm, Pass,
    batch::{BatchNorm, Config},
    per_channel::{per_channel, rows_of_channels},
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

/// The measure of the shifts m.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseScale {
    /// The paper's: m as it is drawn, whatever it is added to.
    Absolute,
    /// m times the standard deviation of the unit over the batch, without gradient. After batch normalization
    /// with γ = 1 both scales are the same.
    #[serde(rename = "of_deviation")]
    Relative,
}

/// The layer, for `[N, C, ..]`.
pub struct Noise {
    /// The normalization before the noise, if any.
    batch_norm: Option<BatchNorm>,
    scale: NoiseScale,
}

impl Noise {
    /// The paper's noisy BatchNorm.
    pub fn after_batch_norm(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        let batch_norm = BatchNorm::new(channels, Config::default(), dtype, device)?;
        Ok(Self { batch_norm: Some(batch_norm), scale: NoiseScale::Absolute })
    }

    /// The noise without a normalization.
    pub fn alone(scale: NoiseScale) -> Self {
        Self { batch_norm: None, scale }
    }

    // ANCHOR: definition
    /// Computes s a + m, `[N, C, ..] -> [N, C, ..]`, and in evaluation its mean.
    fn add_noise(&self, a: &Tensor, pass: Pass) -> Result<Tensor> {
        if pass.mode == Mode::Eval {
            return a * ((1.0 + N_SIGMA) / 2.0);
        }
        let [scales, shifts] = Self::draw(a, pass)?;
        let shifts = match self.scale {
            NoiseScale::Absolute => shifts,
            NoiseScale::Relative => shifts.broadcast_mul(&standard_deviations(&a.detach())?)?,
        };
        (a * scales)? + shifts
    }

    /// Draws s and m of a training step, each of the shape of `a`.
    fn draw(a: &Tensor, pass: Pass) -> Result<[Tensor; 2]> {
        let stream = &mut pass.seed.stream(Purpose::Noise, pass.step);
        let (count, channels) = (a.elem_count(), a.dim(1)?);
        let units: Vec<(f64, f64)> =
            (0..channels).map(|_| (stream.uniform(-N_MU, N_MU), stream.uniform(1.0, N_SIGMA))).collect();
        let values_of_unit: usize = a.dims()[2..].iter().product();
        let (mut scales, mut shifts) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut normals = [0.0; 2];
        for index in 0..count {
            let (mu, sigma) = units[index / values_of_unit % channels];
            if index % 2 == 0 {
                normals = stream.normal_pair();
            }
            shifts.push(stream.uniform(mu - R_MU, mu + R_MU) as f32);
            scales.push((sigma + R_SIGMA * normals[index % 2]) as f32);
        }
        let tensor = |values| Tensor::from_vec(values, a.shape(), a.device())?.to_dtype(a.dtype());
        Ok([tensor(scales)?, tensor(shifts)?])
    }
    // ANCHOR_END: definition
}

/// Takes the standard deviation of each unit over the batch, shaped to multiply `[N, C, ..]`.
fn standard_deviations(a: &Tensor) -> Result<Tensor> {
    let units = rows_of_channels(a)?;
    let centered = units.broadcast_sub(&units.mean_keepdim(1)?)?;
    per_channel(&centered.sqr()?.mean(1)?.sqrt()?, a.rank())
}

impl Norm for Noise {
    fn forward(&self, a: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(a), pass, Epilogue::NOTHING)
    }

    fn parameters(&self) -> Vec<Var> {
        self.batch_norm.as_ref().map(Norm::parameters).unwrap_or_default()
    }

    fn running(&self) -> Option<&Running> {
        self.batch_norm.as_ref().and_then(Norm::running)
    }

    fn forward_then(&self, source: BlockInput, pass: Pass, epilogue: Epilogue) -> Result<Tensor> {
        let a = match &self.batch_norm {
            Some(batch_norm) => batch_norm.forward_then(source, pass, Epilogue::NOTHING)?,
            None => source.tensor()?,
        };
        epilogue.apply(&self.add_noise(&a, pass)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook_lab::seed::Seed;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Zeros show m, the difference to ones shows s. Within a unit m is uniform over 0.2 and s normal with
    /// standard deviation 0.1.
    #[test]
    fn the_constants_are_those_of_the_paper() {
        let noise = Noise::alone(NoiseScale::Absolute);
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
        let noise = Noise::alone(NoiseScale::Absolute);
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
        for noise in [Noise::alone(NoiseScale::Absolute), Noise::after_batch_norm(3, DType::F32, &Device::Cpu).unwrap()]
        {
            let mut stream = Seed(0).stream(Purpose::Init, 0);
            let input = stream.normal_tensor((4, 3, 2, 2), 1.0, &Device::Cpu).unwrap();
            let of = |pass| values(&noise.forward(&input, pass).unwrap());
            let probed = of(Pass::probe(5, Seed(1)));
            assert_eq!(probed, of(Pass::probe(5, Seed(1))));
            assert_eq!(probed, of(Pass::train(5, Seed(1))));
            assert_ne!(probed, of(Pass::probe(6, Seed(1))));
            assert_ne!(probed, of(Pass::probe(5, Seed(1)).of_layer(1)));
        }
        let alone = Noise::alone(NoiseScale::Absolute);
        let ones = Tensor::ones((2, 3), DType::F32, &Device::Cpu).unwrap();
        assert_eq!(values(&alone.forward(&ones, Pass::EVAL).unwrap()), [1.125; 6]);
    }

    /// Ten times the values have ten times the noise.
    #[test]
    fn relative_noise_is_proportional_to_the_standard_deviation() {
        let mut stream = Seed(0).stream(Purpose::Init, 0);
        let input = stream.normal_tensor((50, 3, 2, 2), 1.0, &Device::Cpu).unwrap();
        let noise = Noise::alone(NoiseScale::Relative);
        let of = |factor: f64| values(&noise.forward(&(&input * factor).unwrap(), Pass::TRAIN).unwrap());
        for (one, ten) in of(1.0).iter().zip(of(10.0)) {
            assert!((10.0 * one - ten).abs() < 1e-4, "{one} {ten}");
        }
    }
}
