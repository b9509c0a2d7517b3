//! Which normalization: what a layer is built of.

use super::{
    Norm,
    batch::{self, Affine, BatchNorm, Gradient},
    group::{self, GroupNorm},
    instance, layer,
    lp::{LpNorm, Power},
    mean_only::MeanOnly,
    name,
    noise::{Noise, Size},
    own::Own,
    renorm::{self, BatchRenorm},
    reparameterization::Reparameterization,
    response::FilterResponseNorm,
    rms,
    spectral::SpectralNorm,
    tanh::DynamicTanh,
    weight::{self, Behind, WeightNorm},
};
use candle_core::{DType, Device, Result, Tensor, bail};
use serde::Serialize;
use std::{fmt, str::FromStr};

/// A normalization of activations, of weights, or both, by name:
/// - `none`.
/// - `batch`: of its γ and β `batch:gamma` learns only the first, `batch:beta` only the second, `batch:plain` neither; with `:held`
///   behind it the gradient takes the statistics for constants. `renorm` corrects it by moving statistics with the paper's
///   schedule, in which it is BatchNorm for the first 5,000 steps; `renorm:R:D:S` up to r_max R and d_max D after S steps. `lp:1`, `lp:2` and `lp:inf` divide by another norm, `mean` by none.
/// - `layer`, `instance`, `group:8` for eight groups of channels; `rms` and `frn` (filter response) subtract no mean.
/// - `dyt`: a tanh in the place of a norm.
/// - `weight` and `spectral` normalize weights: `weight:mean` with mean-only BatchNorm behind; with `:drawn` behind either, weights
///   begin as they are drawn, and not where the first batch says.
/// - `noisy` is BatchNorm with the noise of Santurkar et al. behind it, `noise` that noise alone, `noise:scaled` the same in
///   parts of each unit's deviation.
/// - the names of [`OWN`](super::own::OWN).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NormKind {
    None,
    Batch(batch::Config),
    /// The number of groups; it must divide the channels.
    Group(usize),
    /// BatchNorm, then noise.
    Noisy,
    /// Noise alone.
    Noise(Size),
    /// BatchNorm with another divisor.
    Lp(Power),
    Layer,
    Instance,
    Rms,
    Renorm(renorm::Config),
    /// Filter response normalization, with an activation of its own.
    Frn,
    /// Dynamic Tanh.
    Dyt,
    /// Mean-only BatchNorm.
    Mean,
    Weight(weight::Config),
    Spectral,
    /// The reader's.
    Own(Own),
}

/// What each channel of a layer has of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitShape {
    /// One value: behind a linear layer.
    Value,
    Map,
}

impl NormKind {
    /// BatchNorm as everyone uses it.
    pub const BATCH: Self = Self::Batch(batch::Config { affine: Affine::Both, gradient: Gradient::Through });

    /// The layer for so many channels, if there is one.
    pub fn build(self, channels: usize, dtype: DType, device: &Device) -> Result<Option<Box<dyn Norm>>> {
        let of_groups = |config: group::Config| -> Result<Box<dyn Norm>> {
            Ok(Box::new(GroupNorm::new(channels, config, dtype, device)?))
        };
        Ok(Some(match self {
            Self::None | Self::Spectral | Self::Weight(weight::Config { behind: Behind::Nothing, .. }) => {
                return Ok(None);
            }
            Self::Batch(config) => Box::new(BatchNorm::new(channels, config, dtype, device)?),
            Self::Group(groups) => of_groups(group::Config::of_groups(groups))?,
            Self::Noisy => Box::new(Noise::behind_batch_norm(channels, dtype, device)?),
            Self::Noise(size) => Box::new(Noise::alone(size)),
            Self::Lp(power) => Box::new(LpNorm::new(channels, power, dtype, device)?),
            Self::Layer => of_groups(layer::CONFIG)?,
            Self::Instance => of_groups(instance::config(channels))?,
            Self::Rms => of_groups(rms::CONFIG)?,
            Self::Renorm(config) => Box::new(BatchRenorm::new(channels, config, dtype, device)?),
            Self::Frn => Box::new(FilterResponseNorm::new(channels, dtype, device)?),
            Self::Dyt => Box::new(DynamicTanh::new(channels, dtype, device)?),
            Self::Mean | Self::Weight(weight::Config { behind: Behind::MeanOnly, .. }) => {
                Box::new(MeanOnly::new(channels, dtype, device)?)
            }
            Self::Own(own) => (own.build)(channels, dtype, device)?,
        }))
    }

    /// Errors, for the flag `--norm`, where it has nothing to do behind hidden layers of these widths: its groups do not
    /// divide one, or have a single value each.
    pub fn fits(self, widths: &[usize], each: UnitShape) -> Result<()> {
        for width in widths {
            let groups = match self {
                Self::Group(groups) => groups,
                Self::Instance | Self::Frn => *width,
                Self::Layer | Self::Rms => 1,
                _ => continue,
            };
            if !width.is_multiple_of(groups) {
                bail!(
                    "--norm {self}: {groups} groups do not divide the {width} channels of a layer; give a number that does"
                );
            }
            if each == UnitShape::Value && groups == *width {
                bail!(
                    "--norm {self}: a layer of {width} units has a single value in each group; give fewer groups, or layer"
                );
            }
        }
        Ok(())
    }

    /// How a layer's weight `[O, ..]`, as it is drawn, is trained, if not as it is.
    pub fn reparameterize(self, weight: &Tensor) -> Result<Option<Box<dyn Reparameterization>>> {
        Ok(match self {
            Self::Weight(config) => Some(Box::new(WeightNorm::new(weight, config.start)?)),
            Self::Spectral => Some(Box::new(SpectralNorm::new(weight)?)),
            _ => None,
        })
    }

    /// Whether the layer has an activation of its own, in the place of the net's.
    pub fn activates(self) -> bool {
        self == Self::Frn
    }
}

impl fmt::Display for NormKind {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        name::write(self, formatter)
    }
}

impl FromStr for NormKind {
    type Err = name::UnknownName;

    fn from_str(text: &str) -> std::result::Result<Self, name::UnknownName> {
        name::read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::Pass;
    use crate::norm::name::named;
    use crate::norm::testing::normal;

    /// Stored trials are keyed by these: they never change.
    #[test]
    fn what_records_say() {
        let json = |text: &str| serde_json::to_string(&text.parse::<NormKind>().unwrap()).unwrap();
        assert_eq!(json("none"), r#""none""#);
        assert_eq!(json("batch:gamma"), r#"{"batch":{"affine":"weight","gradient":"through"}}"#);
        assert_eq!(json("group:8"), r#"{"group":8}"#);
        assert_eq!(json("noise:scaled"), r#"{"noise":"of_deviation"}"#);
        assert_eq!(json("lp:inf"), r#"{"lp":"infinity"}"#);
    }

    /// UnitShape normalizes activations or weights, in f32 and in f64, and its output has the shape and type of the input.
    #[test]
    fn every_name_but_none_does_something() {
        for kind in named() {
            for dtype in [DType::F32, DType::F64] {
                let (input, weight) = (normal(0, &[4, 6, 2, 2]).to_dtype(dtype).unwrap(), normal(1, &[6, 5]));
                let norm = kind.build(6, dtype, &Device::Cpu).unwrap();
                let reparameterization = kind.reparameterize(&weight.to_dtype(dtype).unwrap()).unwrap();
                assert_eq!(norm.is_none() && reparameterization.is_none(), kind == NormKind::None, "{kind}");
                for pass in [Pass::TRAIN, Pass::PROBE, Pass::EVAL] {
                    if let Some(norm) = &norm {
                        let output = norm.forward(&input, pass).unwrap();
                        assert_eq!((output.dims(), output.dtype()), (input.dims(), dtype), "{kind}");
                    }
                    if let Some(reparameterization) = &reparameterization {
                        let weight = reparameterization.weight(&weight.to_dtype(dtype).unwrap(), pass).unwrap();
                        assert_eq!((weight.dims(), weight.dtype()), (&[6, 5][..], dtype), "{kind}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_names_the_flag_the_norm_and_the_width() {
        let fits = |norm: &str, each| norm.parse::<NormKind>().unwrap().fits(&[8, 32], each);
        for norm in ["none", "batch", "layer", "rms", "group:4", "dyt", "weight", "lp:1"] {
            assert!(fits(norm, UnitShape::Value).is_ok() && fits(norm, UnitShape::Map).is_ok(), "{norm}");
        }
        for norm in ["instance", "frn", "group:8"] {
            let error = fits(norm, UnitShape::Value).unwrap_err().to_string();
            assert!(error.contains(&format!("--norm {norm}: a layer of 8 units has a single value")), "{error}");
            assert!(fits(norm, UnitShape::Map).is_ok(), "{norm}");
        }
        let error = fits("group:16", UnitShape::Map).unwrap_err().to_string();
        assert!(error.contains("--norm group:16: 16 groups do not divide the 8 channels of a layer"), "{error}");
    }

    /// Records and command lines know a reader's norm by its name alone.
    #[test]
    fn a_readers_norm_is_its_name() {
        let build = |channels, dtype, device: &Device| -> Result<Box<dyn Norm>> {
            Ok(Box::new(MeanOnly::new(channels, dtype, device)?))
        };
        let own = NormKind::Own(Own { name: "mine", build });
        assert_eq!((own.to_string().as_str(), format!("{own:?}").as_str()), ("mine", "Own(mine)"));
        assert_eq!(serde_json::to_string(&own).unwrap(), r#"{"own":"mine"}"#);
        assert_eq!(own.build(3, DType::F32, &Device::Cpu).unwrap().unwrap().parameters().len(), 1);
    }
}
