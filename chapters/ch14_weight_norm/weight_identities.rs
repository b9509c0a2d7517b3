//! What weight normalization's gradient is, and where its data-dependent initialization begins (Salimans & Kingma 2016,
//! arXiv:1602.07868, eq. 3 and 4, §2.1, §3).

use candle_core::{Device, Result, Tensor};
use normbook::net::{
    Net, Place,
    layer::{Activation, BlockConfig, Init, Weights},
    mlp::Mlp,
};
use normbook::norm::{
    NormKind, Pass,
    reparameterization::Reparameterization as _,
    weight::{Config, Start, WeightNorm},
};
use normbook::probe::exact::{cosine, larger, largest_of, normal, relative_difference, values};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

const EXAMPLES: usize = 20;
const INPUTS: usize = 6;
const UNITS: usize = 4;
/// The learning rate of the one step.
const RATE: f64 = 0.1;

/// The trial: exact. The gradients in f64, 4 units of 6 inputs on 20 examples; the initialization on an MLP 20-16-16-4
/// in f32.
#[derive(Clone, Debug, Serialize)]
pub struct WeightIdentities;

impl Trial for WeightIdentities {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values: `scale_difference` and `direction_difference` of ∇_g L and ∇_v L from eq. 3, `projection_difference` of
    /// ∇_v L from eq. 4, in parts of the largest; `largest_cosine` between a unit's v and ∇_v L; `growth_difference` of
    /// ‖v‖ behind a step of plain SGD from √(1 + c²) ‖v‖, c = ‖Δv‖ / ‖v‖, of the largest. Behind the initialization, of
    /// all hidden units' t: `start_mean`, the largest |mean|, and `start_deviation`, the largest |σ − 1|.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let device = context.device;
        let mut trace = gradients()?;
        trace.values.extend(start(device)?);
        Ok(trace)
    }
}

fn gradients() -> Result<Trace> {
    let stream = &mut Seed(0).stream(Purpose::Probe, 0);
    let (inputs, upstream) = (normal(stream, (EXAMPLES, INPUTS))?, normal(stream, (EXAMPLES, UNITS))?);
    let (direction, scales) = (normal(stream, (UNITS, INPUTS))?, normal(stream, UNITS)?);
    let norm = WeightNorm::new(&direction, Start::Drawn)?;
    let scale = norm.parameters().remove(0);
    scale.set(&scales)?;
    let weight = norm.weight(&direction, Pass::TRAIN)?;
    let loss = (inputs.matmul(&weight.t()?)? * upstream.as_tensor())?.sum_all()?;
    let found = loss.backward()?;
    let of = |var| found.get(var).map_or_else(|| Ok(Vec::new()), values);
    let (by_scale, by_direction) = (of(&scale)?, of(&direction)?);
    // ∇_w L of this loss, by hand.
    let by_weight = values(&upstream.t()?.matmul(inputs.as_tensor())?)?;
    let (v, g, w) = (values(&direction)?, values(&scales)?, values(&weight)?);
    let (mut of_scale, mut of_direction, mut projected) = (Vec::new(), Vec::new(), Vec::new());
    let (mut cosines, mut grown, mut expected) = (0.0_f64, Vec::new(), Vec::new());
    for unit in 0..UNITS {
        let row = unit * INPUTS..(unit + 1) * INPUTS;
        let (v, w, by_w, by_v) = (&v[row.clone()], &w[row.clone()], &by_weight[row.clone()], &by_direction[row]);
        let (length, g) = (dot(v, v).sqrt(), g[unit]);
        let by_g = dot(by_w, v) / length;
        of_scale.push(by_g);
        of_direction.extend((0..INPUTS).map(|i| g / length * by_w[i] - g * by_g / (length * length) * v[i]));
        let along = dot(w, by_w) / dot(w, w);
        projected.extend((0..INPUTS).map(|i| g / length * (by_w[i] - w[i] * along)));
        cosines = larger(cosines, cosine(v, by_v).abs());
        let stepped: Vec<f64> = v.iter().zip(by_v).map(|(v, by_v)| v - RATE * by_v).collect();
        grown.push(dot(&stepped, &stepped).sqrt());
        expected.push((1.0 + RATE * RATE * dot(by_v, by_v) / (length * length)).sqrt() * length);
    }
    let mut trace = Trace::default();
    trace.values.extend([
        ("scale_difference".into(), relative_difference(&by_scale, &of_scale)),
        ("direction_difference".into(), relative_difference(&by_direction, &of_direction)),
        ("projection_difference".into(), relative_difference(&by_direction, &projected)),
        ("largest_cosine".into(), cosines),
        ("growth_difference".into(), relative_difference(&grown, &expected)),
    ]);
    Ok(trace)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn start(device: &Device) -> Result<[(String, f64); 2]> {
    let stream = &mut Seed(0).stream(Purpose::Init, 0);
    let hidden = BlockConfig::new(NormKind::Weight(Config::default()), Activation::Relu);
    let net = Mlp::new(&[20, 16, 16, 4], hidden, Init { weights: Weights::Glorot, stream, device })?;
    let batch = (Seed(0).stream(Purpose::Data, 0).normal_tensor((100, 20), 2.0, device)? + 1.0)?;
    let (mut means, mut deviations) = (0.0_f64, 0.0_f64);
    net.forward_watched(&batch, Pass::TRAIN, &mut |layer, place, tensor: &Tensor| {
        if layer < 2 && place == Place::Mapped {
            let mean = tensor.mean_keepdim(0)?;
            let deviation = tensor.broadcast_sub(&mean)?.sqr()?.mean(0)?.sqrt()?;
            means = larger(means, largest_of(&mean)?);
            deviations = larger(deviations, largest_of(&(deviation - 1.0)?)?);
        }
        Ok(())
    })?;
    Ok([("start_mean".into(), means), ("start_deviation".into(), deviations)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identities_hold() {
        let values = WeightIdentities.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        for name in
            ["scale_difference", "direction_difference", "projection_difference", "largest_cosine", "growth_difference"]
        {
            assert!(values[name] < 1e-12, "{name}: {}", values[name]);
        }
        assert!(values["start_mean"] < 1e-4 && values["start_deviation"] < 1e-4, "{values:?}");
    }
}
