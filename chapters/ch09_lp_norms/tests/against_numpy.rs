//! Against numpy in f64 (`golden.py`): loss and gradients of one small network through each ℓp norm, and what the
//! chapter finds in the deep linear network, with other data and weights.

use super::super::output_scale::of_normal_values;
use candle_core::{Device, Tensor};
use normbook::net::deep_linear::DeepLinearNet;
use normbook::net::{
    Net,
    layer::{Init, Weights},
};
use normbook::norm::lp::Power;
use normbook::probe::objective::{Batch, Objective, Targets, dot};
use normbook::probe::readings::{at_level, moved};
use normbook_lab::record::Record;
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{StepsToTarget, Trace};
use serde_json::Value;
use std::path::Path;

const WIDTH: usize = 3;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden.json")).unwrap()
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

/// The mean logarithm over seeds of a value of the deep linear network: ours, and numpy's, which has other data and
/// weights.
fn both(value: &str, net: &str) -> [f64; 2] {
    let record = Record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch09/record.json")).unwrap();
    let arm = format!("linear {net}");
    let traces = record.trials.traces(&arm).unwrap();
    let read = |by: &dyn Fn(&Trace) -> f64| traces.iter().map(|trace| by(trace)).collect();
    let ours: Vec<f64> = match value {
        "steps" => record.trials.steps(&arm).unwrap().iter().map(StepsToTarget::at_least).collect(),
        "moved" => read(&|trace| moved(&trace.grids["histogram_layer_11"])),
        "beta_at_level" => read(&|trace| at_level(trace, "gradient_level_beta", 3e4).unwrap()),
        value => record.trials.samples(&arm, value).unwrap(),
    };
    let mean = |samples: &[f64]| samples.iter().map(|sample| sample.ln()).sum::<f64>() / samples.len() as f64;
    [mean(&ours), mean(&numbers(&golden()["runs"][net][value]))]
}

/// Asserts that in both programs the geometric mean of one network's value over another's lies between these.
fn assert_ratio(value: &str, one: &str, other: &str, low: f64, high: f64) {
    for (who, (one_mean, other_mean)) in
        ["ours", "numpy's"].iter().zip(both(value, one).into_iter().zip(both(value, other)))
    {
        let ratio = (one_mean - other_mean).exp();
        assert!(low < ratio && ratio < high, "{value}, {one} over {other}, {who}: {ratio}");
    }
}

const LP: [&str; 3] = ["l1", "l2", "linf"];

#[test]
fn the_norms_train_as_in_numpy() {
    LP.iter().for_each(|norm| assert_ratio("final_train_loss", "plain", norm, 1.25, 10.0));
    assert_ratio("final_train_loss", "batch", "l1", 0.9, 1.1);
    assert_ratio("final_train_loss", "batch", "l2", 0.95, 1.05);
    assert_ratio("steps", "batch", "l1", 1.1, 1.7);
    assert_ratio("steps", "linf", "batch as large as linf", 2.0, 4.0);
    // Most of the lead of ℓ1 is gone.
    let lead = |net| both("steps", net).into_iter().zip(both("steps", "l1")).map(|(net, l1)| net - l1);
    for (plain, as_large) in lead("batch").zip(lead("batch as large as l1")) {
        assert!(0.0 < as_large && as_large < 0.5 * plain, "{as_large} of {plain}");
    }
}

/// Where chapter 9 contradicts the paper, numpy does so too.
#[test]
fn distributions_move_as_in_numpy() {
    for norm in ["l1", "l2"] {
        assert_ratio("input_mean_change", norm, "plain", 1e-4, 0.05);
        assert_ratio("input_variance_change", norm, "plain", 0.01, 0.2);
    }
    assert_ratio("input_mean_change", "linf", "plain", 1.25, 6.0);
    assert_ratio("input_variance_change", "l1", "batch", 1.25, 6.0);
    assert_ratio("input_variance_change", "l2", "batch", 0.9, 1.1);
    LP.iter().for_each(|norm| assert_ratio("moved", norm, "plain", 0.0, 0.2));
}

#[test]
fn the_landscape_is_that_of_numpy() {
    for norm in LP {
        assert_ratio("gradient_loss_range", "plain", norm, 0.0, 0.1);
        assert_ratio("gradient_beta", "plain", norm, 0.0, 0.5);
    }
    ["l1", "l2"].iter().for_each(|norm| assert_ratio("gradient_beta", norm, "batch", 0.95, 1.1));
    assert_ratio("gradient_beta", "linf", "batch", 2.0, 5.0);
}

/// Ours finds ℓ∞ rougher than the plain network at a loss of 3·10⁴, numpy does not: the page says so.
#[test]
fn one_thing_numpy_does_not_confirm() {
    let [ours, numpys] = [0, 1].map(|who| both("beta_at_level", "plain")[who] - both("beta_at_level", "linf")[who]);
    assert!(ours < 0.0 && numpys > 0.0, "{ours}, numpy {numpys}");
}
