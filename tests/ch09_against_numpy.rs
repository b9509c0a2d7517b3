//! Chapter 9 against numpy in f64 (`tests/golden/ch09_lp_norms.py`): loss and gradients of one small net through each ℓp norm,
//! and what the chapter finds in the deep linear net, with other data and weights.

use candle_core::{Device, Tensor};
use normbook::lab::record::Record;
use normbook::net::deep_linear::DeepLinearNet;
use normbook::net::{
    Net,
    layer::{Init, Weights},
};
use normbook::norm::lp::Power;
use normbook::probe::objective::{Batch, Objective, Targets, dot};
use normbook::probe::output_scale::of_normal_values;
use normbook::seed::{Purpose, Seed};
use serde_json::Value;
use std::path::Path;

const WIDTH: usize = 3;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/ch09_lp_norms.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// factor · sin(start), sin(start + 1), …, all moved by the same.
fn sines(start: usize, rows: usize, factor: f64, moved: f64) -> Tensor {
    let value = |number| (factor * libm::sin(number as f64) + moved) as f32;
    let values: Vec<f32> = (start..start + rows * WIDTH).map(value).collect();
    Tensor::from_vec(values, (rows, WIDTH), &Device::Cpu).unwrap()
}

#[test]
fn loss_and_gradients_are_those_of_numpy() {
    for (name, norm) in [("l1", "lp:1"), ("l2", "lp:2"), ("linf", "lp:inf")] {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        let net = DeepLinearNet::new(4, WIDTH, norm.parse().unwrap(), init).unwrap();
        for (layer, of) in net.layers().into_iter().enumerate() {
            of.weight().set(&sines(10 * (layer + 1) + 7, WIDTH, 1.0, 0.0)).unwrap();
        }
        let batch = Batch { inputs: sines(1, 8, 1.0, 1.0), targets: Targets::Values(sines(100, 8, 2.0, 0.0)) };
        let slope = Objective::new(&net, &batch, 0, Seed(0)).slope().unwrap();
        // Of each layer but the last the weight, γ, β; then the last weight.
        let square = |kind: usize| -> f64 {
            let of_kind: Vec<Tensor> = slope.gradients.iter().skip(kind).step_by(3).cloned().collect();
            dot(&of_kind, &of_kind).unwrap()
        };
        let found = [slope.loss, square(0), square(1), square(2)];
        for (found, expected) in found.into_iter().zip(numbers(&golden()["small net"][name])) {
            assert!((found - expected).abs() < 1e-3 * expected.max(0.1), "{name}: {found}, numpy {expected}");
        }
    }
}

#[test]
fn the_sizes_are_those_of_numpy() {
    for (name, power) in [("l1", Power::One), ("linf", Power::Infinity)] {
        let (found, expected) = (of_normal_values(power, 1000), golden()["gamma"][name].as_f64().unwrap());
        assert!((found / expected - 1.0).abs() < 2e-3, "{name}: {found}, numpy {expected}");
    }
}

/// The logarithm of the geometric mean of one net's value over another's.
fn ratio(value: &str, one: &str, other: &str) -> (f64, f64) {
    let record = Record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch09/record.json")).unwrap();
    let golden = golden();
    let mean = |samples: &[f64]| samples.iter().map(|sample| sample.ln()).sum::<f64>() / samples.len() as f64;
    let ours = |net: &str| {
        let arm = format!("linear {net}");
        let steps = || record.trials.steps(&arm).unwrap().iter().map(|reach| reach.at_least()).collect();
        mean(&if value == "steps" { steps() } else { record.trials.samples(&arm, value).unwrap() })
    };
    let numpys = |net: &str| mean(&numbers(&golden["runs"][net][value]));
    (ours(one) - ours(other), numpys(one) - numpys(other))
}
