//! The walk along the gradient against numpy in f64 (`golden_walk.py`): on one small network, and over the trainings of
//! the deep linear network.

use candle_core::{Device, Tensor};
use normbook::net::deep_linear::DeepLinearNet;
use normbook::net::{
    Net,
    layer::{Init, Weights},
};
use normbook::norm::NormKind;
use normbook::probe::gradient_landscape::walk;
use normbook::probe::objective::{Batch, Objective, Targets};
use normbook_lab::record::Record;
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::median;
use serde_json::Value;
use std::path::Path;

const LAYERS: usize = 4;
const WIDTH: usize = 3;
const EXAMPLES: usize = 8;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden_walk.json")).unwrap()
}

/// factor · sin(start), sin(start + 1), …
fn sines(start: usize, rows: usize, factor: f64) -> Tensor {
    let values: Vec<f32> =
        (start..start + rows * WIDTH).map(|number| (factor * libm::sin(number as f64)) as f32).collect();
    Tensor::from_vec(values, (rows, WIDTH), &Device::Cpu).unwrap()
}

/// The network computes in f32, numpy in f64.
#[test]
fn the_walk_is_that_of_numpy() {
    for norm in ["none", "batch"] {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        let net = DeepLinearNet::new(LAYERS, WIDTH, norm.parse::<NormKind>().unwrap(), init).unwrap();
        for (layer, of) in net.layers().into_iter().enumerate() {
            of.weight().set(&sines(10 * (layer + 1) + 7, WIDTH, 1.0)).unwrap();
        }
        let batch = Batch { inputs: sines(1, EXAMPLES, 1.0), targets: Targets::Values(sines(100, EXAMPLES, 2.0)) };
        let objective = Objective::new(&net, &batch, 0, Seed(0));
        let slope = objective.slope().unwrap();
        let found = walk(&objective, &slope, &slope.gradients, &[0.01, 0.03]).unwrap();
        for at in 0..2 {
            let found = [found.loss[at], found.change[at], found.beta[at], found.curvature[at]];
            for (what, found) in found.into_iter().enumerate() {
                let expected = golden()["small net"][norm][at][what].as_f64().unwrap();
                assert!((found / expected - 1.0).abs() < 1e-3, "{norm}, {at}, {what}: {found}, numpy {expected}");
            }
        }
    }
}

/// What a training of each of numpy's five seeds gives, or each of the record's.
fn medians(golden: &Value, record: &Record, net: &str, rate: f64) -> [Vec<f64>; 2] {
    let theirs = if net == "plain" { "none" } else { net };
    let rate_in_numpy = if rate == 1e-8 { "1e-08" } else { "1e-06" };
    let numpy = golden[format!("{theirs} {rate_in_numpy}")]["beta"].as_array().unwrap();
    let numpy = numpy.iter().map(|beta| beta.as_f64().unwrap()).collect();
    [numpy, record.trials.samples(&format!("linear {net} {rate:e}"), "gradient_beta").unwrap()]
}

/// Other data and weights. Without BatchNorm β is small where training is slow; with it β is at 2 over the rate, or
/// rises to it early or late.
#[test]
fn the_deep_linear_network_is_rougher_with_batch_norm_in_numpy_too() {
    let record = Record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch08/record.json")).unwrap();
    let golden = golden();
    let middle = |values: &[f64]| median(values).unwrap();
    let (plain, batch) = (medians(&golden, &record, "plain", 1e-8), medians(&golden, &record, "batch", 1e-8));
    for (plain, batch) in plain.iter().zip(&batch) {
        assert!(middle(plain) < 0.01 * middle(batch), "rate 1e-8: {plain:?}, {batch:?}");
    }
    for betas in medians(&golden, &record, "batch", 1e-6) {
        assert!(betas.iter().all(|beta| (beta * 1e-6 / 2.0 - 1.0).abs() < 0.05), "{betas:?}");
    }
    for betas in medians(&golden, &record, "plain", 1e-6) {
        assert!(middle(&betas) < 1e6 && betas.iter().any(|beta| (beta * 1e-6 / 2.0 - 1.0).abs() < 0.2), "{betas:?}");
    }
}
