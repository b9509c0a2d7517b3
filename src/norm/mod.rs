//! The normalizations of activations, and how a net is told which to use.

pub mod batch;
pub mod group;
pub mod lp;
pub mod noise;
pub mod running;

use crate::ops::{block::Source, normalize::Then};
use crate::seed::Seed;
use batch::{Affine, BatchNorm, Config, Gradient};
use candle_core::{Device, Result, Tensor, Var};
use group::GroupNorm;
use lp::{LpNorm, Power};
use noise::{Noise, Size};
use running::Running;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Whether a layer sees a batch to learn from or examples to judge. Always explicit, never inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Train,
    /// As in training, but the layer stays as it was.
    Probe,
    Eval,
}

/// What a layer is told of the pass that it takes part in.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub mode: Mode,
    /// Training steps taken before this one.
    pub step: u64,
    /// Where noise comes from: the same seed and step give the same noise again.
    pub seed: Seed,
}

impl Pass {
    /// A first training step, for what needs no noise.
    pub const TRAIN: Self = Self { mode: Mode::Train, step: 0, seed: Seed(0) };
    /// Batch statistics, and nothing moves.
    pub const PROBE: Self = Self { mode: Mode::Probe, ..Self::TRAIN };
    pub const EVAL: Self = Self { mode: Mode::Eval, ..Self::TRAIN };

    /// What a training step sees, noise included, and nothing moves.
    pub fn probe(step: u64, seed: Seed) -> Self {
        Self { mode: Mode::Probe, step, seed }
    }

    /// A training step.
    pub fn train(step: u64, seed: Seed) -> Self {
        Self { mode: Mode::Train, step, seed }
    }

    /// The same for one layer of a net, with noise of its own.
    pub fn of_layer(self, layer: usize) -> Self {
        Self { seed: self.seed.branch(layer as u64), ..self }
    }
}

/// A layer that normalizes activations `[N, C, ..]`.
pub trait Norm: Send + Sync {
    /// `[N, C, ..] -> [N, C, ..]`.
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor>;

    /// The same on what a layer's linear map gives, and what follows; a norm that can do it in one pass does.
    fn forward_then(&self, source: Source, pass: Pass, then: Then) -> Result<Tensor> {
        then.apply(&self.forward(&source.tensor()?, pass)?)
    }

    /// What is trained: of γ and β, each `[C]`, those that are learned.
    fn parameters(&self) -> Vec<Var>;

    /// The moving averages, if it has them.
    fn running(&self) -> Option<&Running> {
        None
    }
}

/// A normalization by name: `none`, `batch`, or `group:8` for eight groups of channels. Of BatchNorm's γ and β
/// `batch:gamma` learns only the first, `batch:beta` only the second, `batch:plain` neither; with `:held` behind it the
/// gradient takes the statistics for constants. `noisy` is BatchNorm with the noise of Santurkar et al. behind it, `noise` that
/// noise alone, `noise:scaled` the same in parts of each unit's deviation; `lp:1`, `lp:2` and `lp:inf` divide by another norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    None,
    Batch(Config),
    /// The number of groups; it must divide the channels.
    Group(usize),
    /// BatchNorm, then noise.
    Noisy,
    /// Noise alone.
    Noise(Size),
    /// BatchNorm with another divisor.
    Lp(Power),
}

impl Kind {
    /// BatchNorm as everyone uses it.
    pub const BATCH: Self = Self::Batch(Config { affine: Affine::Both, gradient: Gradient::Through });

    /// The layer for so many channels, if there is one.
    pub fn build(self, channels: usize, device: &Device) -> Result<Option<Box<dyn Norm>>> {
        Ok(match self {
            Self::None => None,
            Self::Batch(config) => Some(Box::new(BatchNorm::new(channels, config, device)?)),
            Self::Group(groups) => Some(Box::new(GroupNorm::new(channels, groups, device)?)),
            Self::Noisy => Some(Box::new(Noise::behind_batch_norm(channels, device)?)),
            Self::Noise(size) => Some(Box::new(Noise::alone(size))),
            Self::Lp(power) => Some(Box::new(LpNorm::new(channels, power, device)?)),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::Batch(Config { affine, gradient }) => {
                let affine = match affine {
                    Affine::Both => "",
                    Affine::Weight => ":gamma",
                    Affine::Bias => ":beta",
                    Affine::Neither => ":plain",
                };
                let gradient = if *gradient == Gradient::Held { ":held" } else { "" };
                write!(formatter, "batch{affine}{gradient}")
            }
            Self::Group(groups) => write!(formatter, "group:{groups}"),
            Self::Noisy => formatter.write_str("noisy"),
            Self::Noise(Size::Absolute) => formatter.write_str("noise"),
            Self::Noise(Size::OfDeviation) => formatter.write_str("noise:scaled"),
            Self::Lp(Power::One) => formatter.write_str("lp:1"),
            Self::Lp(Power::Two) => formatter.write_str("lp:2"),
            Self::Lp(Power::Infinity) => formatter.write_str("lp:inf"),
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let affine = [Affine::Both, Affine::Weight, Affine::Bias, Affine::Neither];
        let config = |gradient| affine.map(|affine| Self::Batch(Config { affine, gradient }));
        let mut named = [config(Gradient::Through), config(Gradient::Held)].concat();
        named.extend([Self::None, Self::Noisy, Self::Noise(Size::Absolute), Self::Noise(Size::OfDeviation)]);
        named.extend([Power::One, Power::Two, Power::Infinity].map(Self::Lp));
        let groups = || text.strip_prefix("group:")?.parse().ok().filter(|groups| *groups > 0).map(Self::Group);
        named.into_iter().find(|kind| kind.to_string() == text).or_else(groups).ok_or_else(|| {
            format!(
                "'{text}' is no normalization; there are none, batch (with :gamma, :beta or :plain and :held behind it), \
                 group:G with G groups, noisy, noise, noise:scaled, and lp:1, lp:2 and lp:inf"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_what_it_writes() {
        for kind in [Kind::None, Kind::BATCH, Kind::Group(8), "batch:plain:held".parse().unwrap()] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for text in ["noisy", "noise", "noise:scaled", "lp:1", "lp:2", "lp:inf"] {
            assert_eq!(text.parse::<Kind>().unwrap().to_string(), text);
        }
        assert_eq!("batch".parse(), Ok(Kind::Batch(Config::default())));
        for wrong in ["", "Batch", "group", "group:", "group:0", "group:-1", "batch:2", "noise:", "lp:3"] {
            assert!(wrong.parse::<Kind>().is_err(), "{wrong}");
        }
    }
}
