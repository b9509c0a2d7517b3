//! Group normalization (Wu & He 2018, arXiv:1803.08494), for x of `[N, C, ..]`.
//!
//! x̂_i = (x_i − μ_i) / σ_i                                                      eq. 1
//! μ_i = Σ x_k / m,  σ_i = √(Σ (x_k − μ_i)² / m + ε), sums over k ∈ S_i, m = |S_i|   eq. 2
//! y_i = γ x̂_i + β, with γ and β of the channel                                 eq. 6
//! S_i = {k: k_N = i_N, ⌊k_C / (C/G)⌋ = ⌊i_C / (C/G)⌋}                          eq. 7
//!
//! S_i holds the values of one example in one of G groups of neighboring channels: training and evaluation are the
//! same. G = 1 is layer normalization (eq. 4) and G = C instance normalization (eq. 5): [`layer`](super::layer) and
//! [`instance`](super::instance) are settings of this layer.
//!
//! Differs from the paper, which does not give ε: ours is 10⁻⁵, as in its listing and in PyTorch.

use super::{Norm, Pass, per_channel::scale_shift};
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use normbook_ops::{
    block::BlockInput,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic},
};

/// The layer's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// G.
    pub groups: usize,
    /// ε; 0 for the exact claims.
    pub epsilon: f64,
}

impl Config {
    /// G groups and the paper's ε.
    pub const fn of_groups(groups: usize) -> Self {
        Self { groups, epsilon: 1e-5 }
    }
}

/// The layer, for `[N, C, ..]`.
pub struct GroupNorm {
    config: Config,
    /// γ, `[C]`, starts at 1.
    gamma: Var,
    /// β, `[C]`, starts at 0.
    beta: Var,
}

impl GroupNorm {
    /// Errors if the number of groups does not divide `channels`.
    pub fn new(channels: usize, config: Config, dtype: DType, device: &Device) -> Result<Self> {
        let groups = config.groups;
        if groups == 0 || !channels.is_multiple_of(groups) {
            bail!("group normalization: {groups} groups for {channels} channels; the groups must divide the channels");
        }
        let (gamma, beta) = (Var::ones(channels, dtype, device)?, Var::zeros(channels, dtype, device)?);
        Ok(Self { config, gamma, beta })
    }

    // ANCHOR: definition
    /// Computes eq. 1, 2, 6 and 7, `[N, C, ..] -> [N, C, ..]`.
    pub fn definition(&self, x: &Tensor) -> Result<Tensor> {
        let Config { groups, epsilon } = self.config;
        let sets = x.reshape((x.dim(0)?, groups, ()))?; // eq. 7
        let centered = sets.broadcast_sub(&sets.mean_keepdim(2)?)?; // eq. 2: x − μ
        let sigma = (centered.sqr()?.mean_keepdim(2)? + epsilon)?.sqrt()?; // eq. 2: σ
        let x_hat = centered.broadcast_div(&sigma)?.reshape(x.shape())?; // eq. 1
        scale_shift(&x_hat, &self.gamma, &self.beta) // eq. 6
    }
    // ANCHOR_END: definition
}

impl Norm for GroupNorm {
    fn forward(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(x), pass, Epilogue::NOTHING)
    }

    fn parameters(&self) -> Vec<Var> {
        vec![self.gamma.clone(), self.beta.clone()]
    }

    fn forward_then(&self, source: BlockInput, _: Pass, epilogue: Epilogue) -> Result<Tensor> {
        let Config { groups, epsilon } = self.config;
        let how = Normalization { axes: Axes::Groups(groups), scale: ScaleStatistic::StandardDeviation, epsilon };
        Ok(source.normalize(&self.gamma, &self.beta, how, epilogue)?.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{
        apart, assert_close, assert_definition, assert_golden, assert_gradients_of, normal, scatter, values,
    };

    fn layer(channels: usize, groups: usize) -> GroupNorm {
        GroupNorm::new(channels, Config::of_groups(groups), DType::F64, &Device::Cpu).unwrap()
    }

    /// Eq. 1, 2, 6 and 7 by loops, for `[N, C, L]`.
    fn by_loops(input: &Tensor, layer: &GroupNorm, groups: usize) -> Vec<f64> {
        let (examples, channels, length) = input.dims3().unwrap();
        let (x, weight, bias) = (values(input), values(&layer.gamma), values(&layer.beta));
        let place = |index: usize| (index / (channels * length), index / length % channels);
        let group = |channel: usize| channel / (channels / groups);
        let of = |i: usize| {
            let (example, channel) = place(i);
            let in_set = |k: &usize| place(*k).0 == example && group(place(*k).1) == group(channel);
            let set: Vec<f64> = (0..examples * channels * length).filter(in_set).map(|k| x[k]).collect();
            let m = set.len() as f64;
            let mean = set.iter().sum::<f64>() / m;
            let variance = set.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / m;
            weight[channel] * (x[i] - mean) / (variance + 1e-5).sqrt() + bias[channel]
        };
        (0..x.len()).map(of).collect()
    }

    #[test]
    fn the_definition_for_each_number_of_groups() {
        let input = normal(0, &[3, 6, 4]);
        for groups in [1, 2, 3, 6] {
            let layer = layer(6, groups);
            scatter(&layer.parameters());
            let found = values(&layer.forward(&input, Pass::TRAIN).unwrap());
            assert_close(&found, &by_loops(&input, &layer, groups), 1e-12);
            assert_eq!(found, values(&layer.forward(&input, Pass::EVAL).unwrap()));
        }
    }

    #[test]
    fn the_kernel_computes_the_definition() {
        for groups in [1, 2, 3, 6] {
            let new = |dtype| GroupNorm::new(6, Config::of_groups(groups), dtype, &Device::Cpu);
            assert_definition(&[&[3, 6], &[3, 6, 4], &[2, 6, 3, 5]], new, |layer, x, _| layer.definition(x));
        }
    }

    /// An example's output does not depend on the rest of the batch.
    #[test]
    fn the_batch_does_not_matter() {
        let (layer, input) = (layer(4, 2), normal(0, &[5, 4, 2, 3]));
        let of = |input: &Tensor| layer.forward(input, Pass::TRAIN).unwrap();
        let alone = of(&input.narrow(0, 2, 1).unwrap());
        assert!(apart(&alone, &of(&input).narrow(0, 2, 1).unwrap()) < 1e-12);
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(4, 2), &[3, 4, 2, 2], Pass::TRAIN);
        assert_gradients_of(&layer(6, 2), &[3, 6], Pass::TRAIN);
    }

    #[test]
    fn pytorch_gives_the_same() {
        assert_golden("group", &layer(4, 2));
    }

    #[test]
    fn groups_that_do_not_divide_are_refused() {
        for groups in [0, 3] {
            let error = GroupNorm::new(4, Config::of_groups(groups), DType::F32, &Device::Cpu).err().unwrap();
            assert!(error.to_string().contains("must divide"));
        }
    }
}
