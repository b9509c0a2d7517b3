//! Chapter 8's walk along the gradient against numpy in f64: on one small net, and over the trainings of the deep linear net
//! (`tests/golden/ch08_deep_linear.py`).

use candle_core::{Device, Tensor};
use normbook::net::deep_linear::DeepLinearNet;
use normbook::net::{
    Net,
    layer::{Init, Weights},
};
use normbook::norm::Kind;
use normbook::probe::gradient_landscape::walk;
use normbook::probe::objective::{Batch, Objective, Targets};
use normbook::seed::{Purpose, Seed};
use serde_json::Value;

const LAYERS: usize = 4;
const WIDTH: usize = 3;
const EXAMPLES: usize = 8;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/ch08_deep_linear.json")).unwrap()
}

/// factor · sin(start), sin(start + 1), …
fn sines(start: usize, rows: usize, factor: f64) -> Tensor {
    let values: Vec<f32> =
        (start..start + rows * WIDTH).map(|number| (factor * libm::sin(number as f64)) as f32).collect();
    Tensor::from_vec(values, (rows, WIDTH), &Device::Cpu).unwrap()
}

/// The net computes in f32, numpy in f64.
#[test]
fn the_walk_is_that_of_numpy() {
    for norm in ["none", "batch"] {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        let net = DeepLinearNet::new(LAYERS, WIDTH, norm.parse::<Kind>().unwrap(), init).unwrap();
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
