//! Which normalization a network uses, and the layer that it builds.

use super::{
    Norm,
    batch::{self, Affine, BatchNorm, StatisticsGradient},
    group::{self, GroupNorm},
    instance, layer,
    lp::{LpNorm, Power},
    mean_only::MeanOnly,
    noise::{Noise, NoiseScale},
    own::Own,
    renorm::{self, BatchRenorm},
    reparameterization::Reparameterization,
    response::FilterResponseNorm,
    rms::{self, RmsNorm},
    spectral::SpectralNorm,
    tanh::DynamicTanh,
    weight::{self, AfterWeightNorm, WeightNorm},
};
use candle_core::{DType, Device, Result, Tensor, bail};
use serde::Serialize;

/// A normalization of activations, of weights, or both. [`super::name`] lists the names that parse to it.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use normbook::norm::{NormKind, Pass};
///
/// let kind: NormKind = "layer".parse()?;
/// let layer = kind.build(2, DType::F32, &Device::Cpu)?.expect("layer normalization is a layer");
/// let x = Tensor::new(&[[1f32, 3.0], [20.0, 10.0]], &Device::Cpu)?;
/// let y = layer.forward(&x, Pass::TRAIN)?;
/// assert_eq!(y.round()?.to_vec2::<f32>()?, [[-1.0, 1.0], [1.0, -1.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NormKind {
    None,
    Batch(batch::Config),
    /// Group normalization with this number of groups, which must divide the channels.
    Group(usize),
    /// BatchNorm, then noise.
    Noisy,
    /// Noise alone.
    Noise(NoiseScale),
    /// BatchNorm with an ℓp norm instead of the standard deviation.
    Lp(Power),
    Layer,
    Instance,
    Rms,
    /// Batch renormalization.
    Renorm(renorm::Config),
    /// Filter response normalization, with an activation of its own.
    Frn,
    /// Dynamic Tanh.
    Dyt,
    /// Mean-only BatchNorm.
    Mean,
    /// Weight normalization.
    Weight(weight::Config),
    /// Spectral normalization.
    Spectral,
    /// A layer of the reader's.
    Own(Own),
}

/// The shape of one example's values in one channel (unit) of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitShape {
    /// A single value: after a linear map, activations are `[N, C]`.
    Value,
    /// A map: after a convolution, activations are `[N, C, H, W]`.
    Map,
}

impl NormKind {
    /// BatchNorm as it is commonly used: γ and β are learned, the gradient flows through the statistics.
    pub const BATCH: Self = Self::Batch(batch::Config { affine: Affine::Both, gradient: StatisticsGradient::Through });

    /// Builds the layer for activations of this number of channels; `None` where activations are not normalized. Errors
    /// where the settings do not fit the channels.
    pub fn build(self, channels: usize, dtype: DType, device: &Device) -> Result<Option<Box<dyn Norm>>> {
        let group_norm = |config: group::Config| -> Result<Box<dyn Norm>> {
            Ok(Box::new(GroupNorm::new(channels, config, dtype, device)?))
        };
        Ok(Some(match self {
            Self::None | Self::Spectral | Self::Weight(weight::Config { after: AfterWeightNorm::Nothing, .. }) => {
                return Ok(None);
            }
            Self::Batch(config) => Box::new(BatchNorm::new(channels, config, dtype, device)?),
            Self::Group(groups) => group_norm(group::Config::of_groups(groups))?,
            Self::Noisy => Box::new(Noise::after_batch_norm(channels, dtype, device)?),
            Self::Noise(scale) => Box::new(Noise::alone(scale)),
            Self::Lp(power) => Box::new(LpNorm::new(channels, power, dtype, device)?),
            Self::Layer => group_norm(layer::CONFIG)?,
            Self::Instance => group_norm(instance::config(channels))?,
            Self::Rms => Box::new(RmsNorm::new(channels, rms::EPSILON, dtype, device)?),
            Self::Renorm(config) => Box::new(BatchRenorm::new(channels, config, dtype, device)?),
            Self::Frn => Box::new(FilterResponseNorm::new(channels, dtype, device)?),
            Self::Dyt => Box::new(DynamicTanh::new(channels, dtype, device)?),
            Self::Mean | Self::Weight(weight::Config { after: AfterWeightNorm::MeanOnlyBatchNorm, .. }) => {
                Box::new(MeanOnly::new(channels, dtype, device)?)
            }
            Self::Own(own) => (own.build)(channels, dtype, device)?,
        }))
    }

    /// Checks the normalization against hidden layers of these widths. Errors, for the flag `--norm`, where its
    /// groups do not divide a width or have a single value each.
    pub fn fits(self, widths: &[usize], shape: UnitShape) -> Result<()> {
        for width in widths {
            let groups = match self {
                Self::Group(groups) => groups,
                Self::Instance | Self::Frn => *width,
                Self::Layer | Self::Rms => 1,
                _ => continue,
            };
            if !width.is_multiple_of(groups) {
                bail!(
                    "--norm {self}: {groups} groups do not divide the {width} channels of a layer; \
                     give a number that does"
                );
            }
            if shape == UnitShape::Value && groups == *width {
                bail!(
                    "--norm {self}: a layer of {width} units has a single value in each group; \
                     give fewer groups, or layer"
                );
            }
        }
        Ok(())
    }

    /// Builds the reparameterization of a layer's weight `[O, ..]` as it is drawn; `None` where the weight itself is
    /// trained.
    pub fn reparameterize(self, weight: &Tensor) -> Result<Option<Box<dyn Reparameterization>>> {
        Ok(match self {
            Self::Weight(config) => Some(Box::new(WeightNorm::new(weight, config.start)?)),
            Self::Spectral => Some(Box::new(SpectralNorm::new(weight)?)),
            _ => None,
        })
    }

    /// Returns whether the layer has an activation of its own, which replaces the network's.
    pub fn activates(self) -> bool {
        self == Self::Frn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored trials are keyed by these: they never change.
    #[test]
    fn what_records_say() {
        let json = |text: &str| serde_json::to_string(&text.parse::<NormKind>().unwrap()).unwrap();
        assert_eq!(json("none"), r#""none""#);
        assert_eq!(json("batch:gamma"), r#"{"batch":{"affine":"weight","gradient":"through"}}"#);
        assert_eq!(json("group:8"), r#"{"group":8}"#);
        assert_eq!(json("noise:scaled"), r#"{"noise":"of_deviation"}"#);
        assert_eq!(json("lp:inf"), r#"{"lp":"infinity"}"#);
        assert_eq!(json("batch:plain:held"), r#"{"batch":{"affine":"neither","gradient":"held"}}"#);
        assert_eq!(json("weight"), r#"{"weight":{"start":"data","behind":"nothing"}}"#);
        assert_eq!(json("weight:mean:drawn"), r#"{"weight":{"start":"drawn","behind":"mean_only"}}"#);
        assert_eq!(json("noise"), r#"{"noise":"absolute"}"#);
        assert_eq!(json("renorm:3:5:800"), r#"{"renorm":{"r_max":3.0,"d_max":5.0,"ramp_steps":800}}"#);
    }

    #[test]
    fn what_does_not_fit_names_the_flag_the_norm_and_the_width() {
        let fits = |norm: &str, shape| norm.parse::<NormKind>().unwrap().fits(&[8, 32], shape);
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

    /// Records and command lines know a reader's layer by its name alone.
    #[test]
    fn a_readers_layer_is_its_name() {
        let build = |channels, dtype, device: &Device| -> Result<Box<dyn Norm>> {
            Ok(Box::new(MeanOnly::new(channels, dtype, device)?))
        };
        let own = NormKind::Own(Own { name: "mine", build });
        assert_eq!((own.to_string().as_str(), format!("{own:?}").as_str()), ("mine", "Own(mine)"));
        assert_eq!(serde_json::to_string(&own).unwrap(), r#"{"own":"mine"}"#);
        assert_eq!(own.build(3, DType::F32, &Device::Cpu).unwrap().unwrap().parameters().len(), 1);
    }
}
