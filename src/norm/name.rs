//! The names of normalizations, as command lines and pages have them.

use super::batch::{self, Affine, Gradient};
use super::kind::NormKind;
use super::lp::Power;
use super::noise::Size;
use super::own::OWN;
use super::renorm;
use super::weight::{self, Behind, Start};
use std::fmt;

/// Writes a kind's name.
pub(super) fn write(kind: &NormKind, formatter: &mut fmt::Formatter) -> fmt::Result {
    let name = match kind {
        NormKind::None => "none",
        NormKind::Batch(batch::Config { affine, gradient }) => {
            let affine = match affine {
                Affine::Both => "",
                Affine::Weight => ":gamma",
                Affine::Bias => ":beta",
                Affine::Neither => ":plain",
            };
            return write!(formatter, "batch{affine}{}", if *gradient == Gradient::Held { ":held" } else { "" });
        }
        NormKind::Group(groups) => return write!(formatter, "group:{groups}"),
        NormKind::Noisy => "noisy",
        NormKind::Noise(Size::Absolute) => "noise",
        NormKind::Noise(Size::OfDeviation) => "noise:scaled",
        NormKind::Lp(Power::One) => "lp:1",
        NormKind::Lp(Power::Two) => "lp:2",
        NormKind::Lp(Power::Infinity) => "lp:inf",
        NormKind::Layer => "layer",
        NormKind::Instance => "instance",
        NormKind::Rms => "rms",
        NormKind::Renorm(config) if *config == renorm::Config::default() => "renorm",
        NormKind::Renorm(renorm::Config { r_max, d_max, ramp_steps }) => {
            return write!(formatter, "renorm:{r_max}:{d_max}:{ramp_steps}");
        }
        NormKind::Frn => "frn",
        NormKind::Dyt => "dyt",
        NormKind::Mean => "mean",
        NormKind::Weight(weight::Config { start, behind }) => {
            let behind = if *behind == Behind::MeanOnly { ":mean" } else { "" };
            return write!(formatter, "weight{behind}{}", if *start == Start::Drawn { ":drawn" } else { "" });
        }
        NormKind::Spectral => "spectral",
        NormKind::Own(own) => own.name,
    };
    formatter.write_str(name)
}

/// Those without numbers in their names.
pub(crate) fn named() -> Vec<NormKind> {
    let affine = [Affine::Both, Affine::Weight, Affine::Bias, Affine::Neither];
    let batch = |gradient| affine.map(|affine| NormKind::Batch(batch::Config { affine, gradient }));
    let weight = |behind| [Start::Data, Start::Drawn].map(|start| NormKind::Weight(weight::Config { start, behind }));
    let mut named = [batch(Gradient::Through), batch(Gradient::Held)].concat();
    named.extend([weight(Behind::Nothing), weight(Behind::MeanOnly)].concat());
    named.extend([Power::One, Power::Two, Power::Infinity].map(NormKind::Lp));
    named.extend([Size::Absolute, Size::OfDeviation].map(NormKind::Noise));
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

/// `group:G` or `renorm:R:D:S`.
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

/// The kind of that name.
pub(super) fn read(text: &str) -> Result<NormKind, UnknownName> {
    let named = named().into_iter().find(|kind| kind.to_string() == text);
    named.or_else(|| with_numbers(text)).ok_or_else(|| UnknownName(text.to_owned()))
}

/// What no normalization is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName(String);

impl std::error::Error for UnknownName {}

impl fmt::Display for UnknownName {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let own: String = OWN.iter().map(|own| format!(", {}", own.name)).collect();
        write!(
            formatter,
            "'{}' is no normalization; there are none, batch (with :gamma, :beta or :plain and :held behind it), \
             renorm or renorm:R:D:S with r_max R of at least 1, d_max D of at least 0 and S steps, layer, instance, \
             group:G with G groups, rms, frn, dyt, mean, weight (with :mean and :drawn behind it), spectral, \
             noisy, noise, noise:scaled, and lp:1, lp:2 and lp:inf{own}",
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
