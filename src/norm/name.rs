//! The names of normalizations, as command lines and pages have them.

use super::batch::{self, Affine, Gradient};
use super::kind::Kind;
use super::lp::Power;
use super::noise::Size;
use super::own::OWN;
use super::renorm;
use super::weight::{self, Behind, Start};
use std::fmt;

/// Writes a kind's name.
pub(super) fn write(kind: &Kind, formatter: &mut fmt::Formatter) -> fmt::Result {
    let name = match kind {
        Kind::None => "none",
        Kind::Batch(batch::Config { affine, gradient }) => {
            let affine = match affine {
                Affine::Both => "",
                Affine::Weight => ":gamma",
                Affine::Bias => ":beta",
                Affine::Neither => ":plain",
            };
            return write!(formatter, "batch{affine}{}", if *gradient == Gradient::Held { ":held" } else { "" });
        }
        Kind::Group(groups) => return write!(formatter, "group:{groups}"),
        Kind::Noisy => "noisy",
        Kind::Noise(Size::Absolute) => "noise",
        Kind::Noise(Size::OfDeviation) => "noise:scaled",
        Kind::Lp(Power::One) => "lp:1",
        Kind::Lp(Power::Two) => "lp:2",
        Kind::Lp(Power::Infinity) => "lp:inf",
        Kind::Layer => "layer",
        Kind::Instance => "instance",
        Kind::Rms => "rms",
        Kind::Renorm(config) if *config == renorm::Config::default() => "renorm",
        Kind::Renorm(renorm::Config { r_max, d_max, ramp_steps }) => {
            return write!(formatter, "renorm:{r_max}:{d_max}:{ramp_steps}");
        }
        Kind::Frn => "frn",
        Kind::Dyt => "dyt",
        Kind::Mean => "mean",
        Kind::Weight(weight::Config { start, behind }) => {
            let behind = if *behind == Behind::MeanOnly { ":mean" } else { "" };
            return write!(formatter, "weight{behind}{}", if *start == Start::Drawn { ":drawn" } else { "" });
        }
        Kind::Spectral => "spectral",
        Kind::Own(own) => own.name,
    };
    formatter.write_str(name)
}

/// Those without numbers in their names.
pub(crate) fn named() -> Vec<Kind> {
    let affine = [Affine::Both, Affine::Weight, Affine::Bias, Affine::Neither];
    let batch = |gradient| affine.map(|affine| Kind::Batch(batch::Config { affine, gradient }));
    let weight = |behind| [Start::Data, Start::Drawn].map(|start| Kind::Weight(weight::Config { start, behind }));
    let mut named = [batch(Gradient::Through), batch(Gradient::Held)].concat();
    named.extend([weight(Behind::Nothing), weight(Behind::MeanOnly)].concat());
    named.extend([Power::One, Power::Two, Power::Infinity].map(Kind::Lp));
    named.extend([Size::Absolute, Size::OfDeviation].map(Kind::Noise));
    named.extend([Kind::None, Kind::Noisy, Kind::Layer, Kind::Instance, Kind::Rms, Kind::Frn, Kind::Dyt, Kind::Mean]);
    named.extend([Kind::Spectral, Kind::Renorm(renorm::Config::default())]);
    named.extend(OWN.iter().copied().map(Kind::Own));
    named
}

/// `group:G` or `renorm:R:D:S`.
fn with_numbers(text: &str) -> Option<Kind> {
    let (name, numbers) = text.split_once(':')?;
    match (name, &numbers.split(':').collect::<Vec<_>>()[..]) {
        ("group", [groups]) => groups.parse().ok().filter(|groups| *groups > 0).map(Kind::Group),
        ("renorm", [r_max, d_max, ramp_steps]) => {
            let number =
                |text: &str, least: f64| text.parse().ok().filter(|number| (least..f64::INFINITY).contains(number));
            let (r_max, d_max, ramp_steps) = (number(r_max, 1.0)?, number(d_max, 0.0)?, ramp_steps.parse().ok()?);
            Some(Kind::Renorm(renorm::Config { r_max, d_max, ramp_steps }))
        }
        _ => None,
    }
}

/// The kind of that name.
pub(super) fn read(text: &str) -> Result<Kind, UnknownName> {
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
            assert_eq!(text.parse::<Kind>().unwrap().to_string(), text);
        }
        assert_eq!("batch".parse(), Ok(Kind::Batch(batch::Config::default())));
        assert_eq!("weight".parse(), Ok(Kind::Weight(weight::Config::default())));
        assert_eq!("batch:plain:held".parse::<Kind>().unwrap().to_string(), "batch:plain:held");
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
            assert!(wrong.parse::<Kind>().is_err(), "{wrong}");
        }
    }
}
