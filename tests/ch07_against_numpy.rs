//! Chapter 7 against numpy in f64: the probe of definition 2.1 on one small net (`tests/golden/ch07_covariate_shift.py`), and
//! what the chapter finds in the deep linear net (`tests/golden/ch07_deep_linear.py`).

use candle_core::{Device, Tensor};
use normbook_lab::record::Record;
use normbook::net::deep_linear::DeepLinearNet;
use normbook::net::{
    Net,
    layer::{Init, Weights},
};
use normbook::norm::NormKind;
use normbook::probe::covariate_shift::covariate_shift;
use normbook::probe::objective::{Batch, Objective, Targets};
use normbook_lab::seed::{Purpose, Seed};
use std::collections::BTreeMap;
use std::path::Path;

const LAYERS: usize = 4;
const WIDTH: usize = 3;
const EXAMPLES: usize = 8;

/// factor · sin(start), sin(start + 1), …
fn sines(start: usize, rows: usize, factor: f64) -> Tensor {
    let values: Vec<f32> =
        (start..start + rows * WIDTH).map(|number| (factor * libm::sin(number as f64)) as f32).collect();
    Tensor::from_vec(values, (rows, WIDTH), &Device::Cpu).unwrap()
}

/// The net computes in f32, numpy in f64.
const TOLERANCE: f64 = 1e-4;

#[test]
fn the_shift_is_that_of_numpy() {
    let golden: BTreeMap<String, Vec<[f64; 2]>> =
        serde_json::from_str(include_str!("golden/ch07_covariate_shift.json")).unwrap();
    for (norm, expected) in golden {
        let norm: NormKind = norm.parse().unwrap();
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        let net = DeepLinearNet::new(LAYERS, WIDTH, norm, init).unwrap();
        for (layer, of) in net.layers().into_iter().enumerate() {
            of.weight().set(&sines(10 * (layer + 1) + 7, WIDTH, 1.0)).unwrap();
        }
        let (inputs, targets) = (sines(1, EXAMPLES, 1.0), sines(100, EXAMPLES, 2.0));
        let batch = Batch { inputs, targets: Targets::Values(targets) };
        let objective = Objective::new(&net, &batch, 0, Seed(0));
        let slope = objective.slope().unwrap();
        let found = covariate_shift(&objective, &slope, 0.01, &[1, 2, 3, 4]).unwrap();
        assert_eq!(expected.len(), LAYERS);
        for (layer, ([difference, cosine], found)) in expected.into_iter().zip(found).enumerate() {
            let scale = difference.max(1.0);
            assert!((found.difference - difference).abs() < TOLERANCE * scale, "{norm}, layer {layer}: {found:?}");
            assert!((found.cosine.unwrap() - cosine).abs() < TOLERANCE, "{norm}, layer {layer}: {found:?}");
        }
    }
}

/// Other data and weights: means over five seeds differ by some tenths. What the page says holds in both.
#[test]
fn the_deep_linear_net_shifts_as_in_numpy() {
    let record = Record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch07/record.json")).unwrap();
    let golden: BTreeMap<String, BTreeMap<String, Vec<f64>>> =
        serde_json::from_str(include_str!("golden/ch07_deep_linear.json")).unwrap();
    let mean = |samples: &[f64]| samples.iter().sum::<f64>() / samples.len() as f64;
    let found = |net: &str, value: &str| mean(&record.trials.samples(&format!("linear {net} 1e-6"), value).unwrap());
    for (net, layer) in [("batch", 9), ("batch", 17), ("plain", 9), ("plain", 17)] {
        let expected = mean(&golden[net][&format!("layer {layer}")]);
        let found = found(net, &format!("shift_cosine_layer_{layer}"));
        assert!((found - expected).abs() < 0.35, "{net}, layer {layer}: {found}, numpy {expected}");
        if net == "batch" {
            assert!(found.abs() > 0.2 && expected.abs() > 0.2 && found.signum() == expected.signum());
        }
    }
    let ratio = |plain: f64, batch: f64| plain / batch;
    let (ours, numpy) = (
        ratio(found("plain", "final_train_loss"), found("batch", "final_train_loss")),
        ratio(mean(&golden["plain"]["loss"]), mean(&golden["batch"]["loss"])),
    );
    assert!(ours > 1.25 && numpy > 1.25, "{ours}, numpy {numpy}");
}
