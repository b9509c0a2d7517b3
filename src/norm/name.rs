//! The names of normalizations, as command lines and pages write them:
//! - `none`.
//! - `batch`: it learns γ and β; `batch:gamma` only the first, `batch:beta` only the second, `batch:plain` neither.
//!   With `:held` at the end the gradient takes the statistics for constants.
//! - `renorm` with the paper's schedule, in which it is BatchNorm for the first 5,000 steps; `renorm:R:D:S` rises to
//!   r_max R and d_max D in S steps. `lp:1`, `lp:2` and `lp:inf` divide by an ℓp norm, `mean` divides by nothing.
//! - `layer`, `instance`, `group:G` with G groups of channels; `rms` and `frn` (filter response) subtract no mean.
//! - `dyt` (dynamic tanh).
//! - `weight` and `spectral` normalize weights; `weight:mean` adds mean-only BatchNorm. With `:drawn` at the end g
//!   and b begin as the weights are drawn, without the data-dependent initialization.
//! - `noisy` is BatchNorm with the noise of Santurkar et al. after it, `noise` that noise alone, `noise:scaled` the
//!   noise relative to each unit's standard deviation.
//! - the names in [`OWN`].

use super::batch::{self, Affine, StatisticsGradient};
use super::kind::NormKind;
use super::lp::Power;
use super::noise::NoiseScale;
use super::own::OWN;
use super::renorm;
use super::weight::{self, AfterWeightNorm, Start};
use std::{fmt, str::FromStr};

impl fmt::Display for NormKind {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let name = match self {
            Self::None => "none",
            Self::Batch(batch::Config { affine, gradient }) => {
                let affine = match affine {
                    Affine::Both => "",
                    Affine::Weight => ":gamma",
                    Affine::Bias => ":beta",
                    Affine::Neither => ":plain",
                };
                let gradient = if *gradient == StatisticsGradient::Detached { ":held" } else { "" };
                return write!(formatter, "batch{affine}{gradient}");
            }
            Self::Group(groups) => return write!(formatter, "group:{groups}"),
            Self::Noisy => "noisy",
            Self::Noise(NoiseScale::Absolute) => "noise",
            Self::Noise(NoiseScale::Relative) => "noise:scaled",
            Self::Lp(Power::One) => "lp:1",
            Self::Lp(Power::Two) => "lp:2",
            Self::Lp(Power::Infinity) => "lp:inf",
            Self::Layer => "layer",
            Self::Instance => "instance",
            Self::Rms => "rms",
            Self::Renorm(config) if *config == renorm::Config::default() => "renorm",
            Self::Renorm(renorm::Config { r_max, d_max, ramp_steps }) => {
                return write!(formatter, "renorm:{r_max}:{d_max}:{ramp_steps}");
            }
            Self::Frn => "frn",
            Self::Dyt => "dyt",
            Self::Mean => "mean",
            Self::Weight(weight::Config { start, after }) => {
                let after = if *after == AfterWeightNorm::MeanOnlyBatchNorm { ":mean" } else { "" };
                return write!(formatter, "weight{after}{}", if *start == Start::Drawn { ":drawn" } else { "" });
            }
            Self::Spectral => "spectral",
            Self::Own(own) => own.name,
        };
        formatter.write_str(name)
    }
}

impl FromStr for NormKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let named = named().into_iter().find(|kind| kind.to_string() == text);
        named.or_else(|| with_numbers(text)).ok_or_else(|| UnknownName(text.to_owned()))
    }
}

/// Returns all kinds whose names have no numbers.
pub(crate) fn named() -> Vec<NormKind> {
    let affine = [Affine::Both, Affine::Weight, Affine::Bias, Affine::Neither];
    let batch = |gradient| affine.map(|affine| NormKind::Batch(batch::Config { affine, gradient }));
    let weight = |after| [Start::Data, Start::Drawn].map(|start| NormKind::Weight(weight::Config { start, after }));
    let mut named = [batch(StatisticsGradient::Through), batch(StatisticsGradient::Detached)].concat();
    named.extend([weight(AfterWeightNorm::Nothing), weight(AfterWeightNorm::MeanOnlyBatchNorm)].concat());
    named.extend([Power::One, Power::Two, Power::Infinity].map(NormKind::Lp));
    named.extend([NoiseScale::Absolute, NoiseScale::Relative].map(NormKind::Noise));
    named.extend([
        NormKind::None,
        NormKind::Noisy,
        NormKind::Layer,
        NormKind::Instance,
        NormKind::Rms,
        NormKind::Frn,
        NormKind::Dyt,
        NormKind::Mean,
    ]);
    named.extend([NormKind::Spectral, NormKind::Renorm(renorm::Config::default())]);
    named.extend(OWN.iter().copied().map(NormKind::Own));
    named
}

/// Reads `group:G` and `renorm:R:D:S`.
fn with_numbers(text: &str) -> Option<NormKind> {
    let (name, numbers) = text.split_once(':')?;
    match (name, &numbers.split(':').collect::<Vec<_>>()[..]) {
        ("group", [groups]) => groups.parse().ok().filter(|groups| *groups > 0).map(NormKind::Group),
        ("renorm", [r_max, d_max, ramp_steps]) => {
            let number =
                |text: &str, least: f64| text.parse().ok().filter(|number| (least..f64::INFINITY).contains(number));
            let (r_max, d_max, ramp_steps) = (number(r_max, 1.0)?, number(d_max, 0.0)?, ramp_steps.parse().ok()?);
            Some(NormKind::Renorm(renorm::Config { r_max, d_max, ramp_steps }))
        }
        _ => None,
    }
}

/// A text that names no normalization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName(String);

impl std::error::Error for UnknownName {}

impl fmt::Display for UnknownName {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let own: String = OWN.iter().map(|own| format!(", {}", own.name)).collect();
        write!(
            formatter,
            "'{}' is no normalization; give none, batch (then :gamma, :beta or :plain, then :held), \
             renorm or renorm:R:D:S with r_max R of at least 1, d_max D of at least 0 and S steps, layer, instance, \
             group:G with G groups, rms, frn, dyt, mean, weight (then :mean, then :drawn), spectral, \
             noisy, noise, noise:scaled, lp:1, lp:2 or lp:inf{own}",
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::{Pass, testing::normal};
    use candle_core::{DType, Device};

    #[test]
    fn a_kind_reads_what_it_writes() {
        for kind in named() {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!(named().len() >= 27);
        for text in ["group:8", "renorm:3:5:800", "renorm:1.5:0:0"] {
            assert_eq!(text.parse::<NormKind>().unwrap().to_string(), text);
        }
        assert_eq!("batch".parse(), Ok(NormKind::Batch(batch::Config::default())));
        assert_eq!("weight".parse(), Ok(NormKind::Weight(weight::Config::default())));
        assert_eq!("batch:plain:held".parse::<NormKind>().unwrap().to_string(), "batch:plain:held");
        for wrong in
            ["", "Batch", "group", "group:", "group:0", "group:-1", "batch:2", "noise:", "lp:3", "weight:", "own"]
                .into_iter()
                .chain([
                    "renorm:3:5",
                    "renorm:0.5:5:0",
                    "renorm:3:-1:0",
                    "renorm:inf:1:0",
                    "renorm:nan:1:0",
                    "renorm:3:5:x",
                ])
        {
            assert!(wrong.parse::<NormKind>().is_err(), "{wrong}");
        }
    }

    /// Each normalizes activations or weights, in f32 and in f64, and its output has the shape and type of the input.
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
}
