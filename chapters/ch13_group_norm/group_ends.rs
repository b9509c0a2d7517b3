//! What group normalization is at the two ends of G (Wu & He 2018, arXiv:1803.08494, §3.1): with one group layer
//! normalization over channels and space, with as many groups as channels instance normalization.

use candle_core::{DType, Result, Tensor};
use normbook::norm::{
    Norm, Pass,
    group::{Config, GroupNorm},
};
use normbook::probe::exact::{normal, relative_difference, values};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

const SHAPE: (usize, usize, usize, usize) = (5, 6, 3, 4);
const CHANNELS: usize = 6;

/// The trial: exact, in f64, ε = 0, γ = 1, β = 0, on `[5, 6, 3, 4]`.
#[derive(Clone, Debug, Serialize)]
pub struct GroupEnds;

impl Trial for GroupEnds {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values, in parts of the largest output: `layer_difference` from (x − μ) / σ over (C, H, W) of each example for G
    /// = 1, `instance_difference` from that over (H, W) of each example and channel for G = C, and
    /// `between_difference`, of the two from each other.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let device = context.device;
        let input = normal(&mut Seed(0).stream(Purpose::Probe, 0), SHAPE)?.into_inner();
        // ANCHOR: ends
        let grouped = |groups| {
            let config = Config { epsilon: 0.0, ..Config::of_groups(groups) };
            values(&GroupNorm::new(CHANNELS, config, DType::F64, device)?.forward(&input, Pass::TRAIN)?)
        };
        let (one, all) = (grouped(1)?, grouped(CHANNELS)?);
        // ANCHOR_END: ends
        let mut trace = Trace::default();
        trace.values.extend([
            ("layer_difference".into(), relative_difference(&one, &normalized_from(&input, 1)?)),
            ("instance_difference".into(), relative_difference(&all, &normalized_from(&input, 2)?)),
            ("between_difference".into(), relative_difference(&one, &all)),
        ]);
        Ok(trace)
    }
}

/// (x − μ) / σ, with the statistics of all axes from the `first` on.
fn normalized_from(input: &Tensor, first: usize) -> Result<Vec<f64>> {
    let rows = input.flatten_from(first)?;
    let centred = rows.broadcast_sub(&rows.mean_keepdim(first)?)?;
    values(&centred.broadcast_div(&centred.sqr()?.mean_keepdim(first)?.sqrt()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_ends_are_what_they_are_called_and_not_each_other() {
        let values = GroupEnds.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        assert!(values["layer_difference"] < 1e-12 && values["instance_difference"] < 1e-12);
        assert!(values["between_difference"] > 0.1);
    }
}
