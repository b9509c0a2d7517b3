//! The probe of definition 2.1 against numpy, on one small net: `tests/golden/ch07_covariate_shift.py`.

use candle_core::{Device, Tensor};
use normbook::net::deep_linear::DeepLinearNet;
use normbook::net::{
    Net,
    layer::{Init, Weights},
};
use normbook::norm::Kind;
use normbook::probe::covariate_shift::covariate_shift;
use normbook::probe::objective::{Batch, Objective, Targets};
use normbook::seed::{Purpose, Seed};
use std::collections::BTreeMap;

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
        let norm: Kind = norm.parse().unwrap();
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
