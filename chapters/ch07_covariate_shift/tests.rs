use super::{CovariateShift, claims::claims};
use candle_core::{Device, Tensor};
use normbook::net::deep_linear::DeepLinearNet;
use normbook::net::{
    Net,
    layer::{Init, Weights},
};
use normbook::norm::NormKind;
use normbook::probe::covariate_shift::covariate_shift;
use normbook::probe::objective::{Batch, Objective, Targets};
use normbook_lab::Chapter;
use normbook_lab::record::Record;
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use normbook_lab::trial::FINAL_LOSS;
use std::collections::BTreeMap;
use std::path::Path;

/// Santurkar et al. 2018, Fig. 3: without BatchNorm G and G′ are nearly the same, with it they are almost uncorrelated
/// and differ by more, and yet the loss becomes lower.
fn papers_world() -> World {
    // cos(G, G′) and ‖G − G′‖ in two layers, and the final loss.
    let linear = [
        ("plain 1e-7", [0.99, 0.98], [1.0, 1.5], 5e4),
        ("plain 1e-6", [0.97, 0.96], [2.0, 2.5], 4e4),
        ("batch 1e-7", [0.05, -0.04], [10.0, 15.0], 2e4),
        ("batch 1e-6", [-0.03, 0.02], [20.0, 25.0], 1e4),
    ];
    let cnn = [
        ("plain 1e-2", [0.90, 0.88], [0.1, 0.2]),
        ("plain 1e-1", [0.80, 0.78], [0.3, 0.4]),
        ("batch 1e-2", [0.70, 0.68], [0.5, 0.6]),
        ("batch 1e-1", [0.60, 0.58], [0.7, 0.8]),
    ];
    let shifts = |world: World, arm: &str, layers: [usize; 2], cosines: [f64; 2], differences: [f64; 2]| {
        (0..2).fold(world, |world, at| {
            world.value(arm, &format!("shift_cosine_layer_{}", layers[at]), cosines[at]).value(
                arm,
                &format!("shift_difference_layer_{}", layers[at]),
                differences[at],
            )
        })
    };
    let world = cnn.into_iter().fold(World::new(5), |world, (arm, cosines, differences)| {
        shifts(world, &format!("cnn {arm}"), [3, 5], cosines, differences)
    });
    linear.into_iter().fold(world, |world, (arm, cosines, differences, loss)| {
        let arm = format!("linear {arm}");
        shifts(world.value(&arm, FINAL_LOSS, loss), &arm, [9, 17], cosines, differences)
    })
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), CovariateShift::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<CovariateShift>();
}

const LAYERS: usize = 4;
const WIDTH: usize = 3;
const EXAMPLES: usize = 8;

/// factor · sin(start), sin(start + 1), …
fn sines(start: usize, rows: usize, factor: f64) -> Tensor {
    let values: Vec<f32> =
        (start..start + rows * WIDTH).map(|number| (factor * libm::sin(number as f64)) as f32).collect();
    Tensor::from_vec(values, (rows, WIDTH), &Device::Cpu).unwrap()
}

/// The network computes in f32, numpy in f64.
const TOLERANCE: f64 = 1e-4;

/// The probe of definition 2.1 on one small network: `golden_covariate_shift.py`.
#[test]
fn the_shift_is_that_of_numpy() {
    let golden: BTreeMap<String, Vec<[f64; 2]>> =
        serde_json::from_str(include_str!("golden_covariate_shift.json")).unwrap();
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

/// The deep linear network with other data and weights (`golden_deep_linear.py`): means over five seeds differ by some
/// tenths. What the page says holds in both.
#[test]
fn the_deep_linear_network_shifts_as_in_numpy() {
    let record = Record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch07/record.json")).unwrap();
    let golden: BTreeMap<String, BTreeMap<String, Vec<f64>>> =
        serde_json::from_str(include_str!("golden_deep_linear.json")).unwrap();
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
        ratio(found("plain", FINAL_LOSS), found("batch", FINAL_LOSS)),
        ratio(mean(&golden["plain"]["loss"]), mean(&golden["batch"]["loss"])),
    );
    assert!(ours > 1.25 && numpy > 1.25, "{ours}, numpy {numpy}");
}
