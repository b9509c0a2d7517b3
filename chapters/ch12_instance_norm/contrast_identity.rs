//! What instance normalization does not see of an image: IN(a x + c) = IN(x) for a > 0 (Ulyanov, Vedaldi & Lempitsky
//! 2016, arXiv:1607.08022), and where that ends.

use candle_core::{Result, Tensor};
use normbook::probe::exact::{largest, normal, relative_difference, values};
use normbook_lab::seed::{Purpose, Seed, Stream};
use normbook_lab::trial::{RunContext, Trace, Trial};
use normbook_ops::{
    conv2d::{Windows, conv2d},
    normalize::{Axes, Normalization, ScaleStatistic, normalize},
};
use serde::Serialize;
use std::collections::BTreeMap;

const CHANNELS: usize = 3;
const SIDE: usize = 6;
/// a and c.
const CHANGE: [f64; 2] = [7.0, 2.0];
/// A contrast at which the usual ε is no longer small.
const FAINT: f64 = 1e-3;

/// The trial: exact, in f64, on `[4, 3, 6, 6]`, γ = 1, β = 0.
#[derive(Clone, Debug, Serialize)]
pub struct ContrastIdentity;

impl Trial for ContrastIdentity {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values, the largest change of an output in parts of the largest: `change` for a x + c with ε = 0, `faint` for
    /// 10⁻³ x with ε = 10⁻⁵; behind a convolution with bias and zero padding, ε = 0, `scaled` for a x and `shifted` for
    /// x + c; and `one_pixel`, the largest output for maps of one pixel, ε = 10⁻⁵, which is β = 0 whatever the image.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let stream = &mut Seed(0).stream(Purpose::Probe, 0);
        let images = drawn(stream, SIDE)?;
        let [a, c] = CHANGE;
        let (scaled, shifted) = ((&images * a)?, (&images + c)?);
        let weight = normal(stream, (CHANNELS, CHANNELS, 3, 3))?.into_inner();
        let bias = normal(stream, CHANNELS)?.into_inner();
        let mapped = |images: &Tensor| conv2d(images, &weight, &bias, Windows { stride: 1, padding: 1 });
        let pair = |one: &Tensor, other: &Tensor, epsilon| -> Result<f64> {
            Ok(relative_difference(&instance(one, epsilon)?, &instance(other, epsilon)?))
        };
        let one_pixel = instance(&drawn(stream, 1)?, 1e-5)?;
        let mut trace = Trace::default();
        trace.values.extend([
            ("change".into(), pair(&(&scaled + c)?, &images, 0.0)?),
            ("faint".into(), pair(&(&images * FAINT)?, &images, 1e-5)?),
            ("scaled".into(), pair(&mapped(&scaled)?, &mapped(&images)?, 0.0)?),
            ("shifted".into(), pair(&mapped(&shifted)?, &mapped(&images)?, 0.0)?),
            ("one_pixel".into(), largest(one_pixel)),
        ]);
        Ok(trace)
    }
}

/// `[4, 3, side, side]`.
fn drawn(stream: &mut Stream, side: usize) -> Result<Tensor> {
    Ok(normal(stream, (4, CHANNELS, side, side))?.into_inner())
}

fn instance(images: &Tensor, epsilon: f64) -> Result<Vec<f64>> {
    let gain = Tensor::ones(CHANNELS, images.dtype(), images.device())?;
    let how = Normalization { axes: Axes::Groups(CHANNELS), scale: ScaleStatistic::StandardDeviation, epsilon };
    values(&normalize(images, &gain, &gain.zeros_like()?, how)?.output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn contrast_and_brightness_are_gone_but_for_epsilon_and_padding() {
        let values = ContrastIdentity.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        assert!(values["change"] < 1e-12 && values["scaled"] < 1e-12, "{values:?}");
        assert!(values["faint"] > 0.01 && values["shifted"] > 0.01, "{values:?}");
        assert_eq!(values["one_pixel"], 0.0);
    }
}
