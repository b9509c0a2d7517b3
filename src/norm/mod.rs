//! The normalizations of activations, and how a net is told which to use.

pub mod batch;
pub mod group;

use crate::ops::{block::Source, normalize::Then};
use batch::BatchNorm;
use candle_core::{Device, Result, Tensor, Var};
use group::GroupNorm;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Whether a layer sees a batch to learn from or examples to judge. Always explicit, never inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Train,
    Eval,
}

/// A layer that normalizes activations `[N, C, ..]`.
pub trait Norm: Send + Sync {
    /// `[N, C, ..] -> [N, C, ..]`.
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor>;

    /// The same on what a layer's linear map gives, and what follows; a norm that can do it in one pass does.
    fn forward_then(&self, source: Source, mode: Mode, then: Then) -> Result<Tensor> {
        then.apply(&self.forward(&source.tensor()?, mode)?)
    }

    /// What is trained: γ and β, each `[C]`.
    fn parameters(&self) -> Vec<Var>;
}

/// A normalization by name: `none`, `batch`, or `group:8` for eight groups of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    None,
    Batch,
    /// The number of groups; it must divide the channels.
    Group(usize),
}

impl Kind {
    /// The layer for so many channels, if there is one.
    pub fn build(self, channels: usize, device: &Device) -> Result<Option<Box<dyn Norm>>> {
        Ok(match self {
            Self::None => None,
            Self::Batch => Some(Box::new(BatchNorm::new(channels, device)?)),
            Self::Group(groups) => Some(Box::new(GroupNorm::new(channels, groups, device)?)),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::Batch => formatter.write_str("batch"),
            Self::Group(groups) => write!(formatter, "group:{groups}"),
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let unknown = || format!("'{text}' is no normalization; there are none, batch, and group:G with G groups");
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "batch" => Ok(Self::Batch),
            Some(("group", groups)) => match groups.parse() {
                Ok(groups) if groups > 0 => Ok(Self::Group(groups)),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_what_it_writes() {
        for kind in [Kind::None, Kind::Batch, Kind::Group(8)] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for wrong in ["", "Batch", "group", "group:", "group:0", "group:-1", "batch:2"] {
            assert!(wrong.parse::<Kind>().is_err(), "{wrong}");
        }
    }
}
