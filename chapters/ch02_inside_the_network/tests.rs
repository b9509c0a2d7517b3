use super::cross_example::{Between, jacobian_norms};
use super::{InsideTheNetwork, claims::claims};
use candle_core::{Device, Tensor, Var};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Builds the world of the lecture and of Ioffe & Szegedy 2015: the batch alone couples its examples, the identities
/// hold to rounding, constant statistics make biases grow, and the place of the normalization makes little difference.
fn papers_world() -> World {
    let rounding = [
        ("jacobian, no norm", "largest_of_others", 1e-17),
        ("jacobian, layer norm", "largest_of_others", 2e-17),
        ("a small", "output_difference", 1e-16),
        ("a small", "weight_gradient_difference", 2e-16),
        ("a small", "weight_cosine", -3e-16),
        ("a large", "output_difference", 4e-16),
        ("a large", "weight_gradient_difference", 5e-16),
        ("a large", "weight_cosine", 6e-16),
        ("backward, batch 2", "fused", 1e-16),
        ("backward, batch 2", "composed", 2e-16),
        ("backward, batch 2", "finite_differences", 3e-11),
        ("backward, batch 60", "fused", 4e-16),
        ("backward, batch 60", "composed", 5e-16),
        ("backward, batch 60", "finite_differences", 6e-11),
        ("backward, batch 60", "of_ones", 7e-16),
    ];
    // Expectations for normal data: 1, (m − 1)/m, and for two values 1/π.
    let variances = [
        ("unbiased variance, batch 2", 1.0),
        ("biased variance, batch 2", 0.5),
        ("deviation, batch 2", 1.0 / std::f64::consts::PI),
        ("unbiased variance, batch 64", 1.0),
        ("biased variance, batch 64", 63.0 / 64.0),
        ("deviation, batch 64", 0.976),
    ];
    let seeded = [
        ("spread", "logit_deviation_at_8", 0.8),
        ("spread", "logit_deviation_at_128", 0.2),
        ("held", "final_bias_norm", 6.0),
        ("through", "final_bias_norm", 0.5),
        ("held", TEST_ACCURACY, 0.70),
        ("through", TEST_ACCURACY, 0.85),
        ("sigmoid, norm before", TEST_ACCURACY, 0.860),
        ("sigmoid, norm after", TEST_ACCURACY, 0.862),
        ("ReLU, norm before", TEST_ACCURACY, 0.871),
        ("ReLU, norm after", TEST_ACCURACY, 0.870),
    ];
    let world = World::new(10).exact("jacobian, batch norm", "smallest_of_others", 0.05);
    let world = rounding.iter().fold(world, |world, (arm, name, value)| world.exact(arm, name, *value));
    let world = variances.iter().fold(world, |world, (arm, ratio)| world.exact(arm, "variance_over_true", *ratio));
    seeded.iter().fold(world, |world, (arm, name, value)| world.value(arm, name, *value))
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), InsideTheNetwork::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<InsideTheNetwork>();
}

#[derive(Deserialize)]
struct Golden {
    inputs: Vec<Vec<f64>>,
    first: Vec<Vec<f64>>,
    second: Vec<Vec<f64>>,
    norms: BTreeMap<String, Vec<f64>>,
}

/// Golden values of PyTorch's autograd: `golden.py`.
#[test]
fn jacobians_across_examples_are_those_of_pytorch() {
    let golden: Golden = serde_json::from_str(include_str!("golden.json")).unwrap();
    let tensor = |rows: &Vec<Vec<f64>>| Tensor::new(rows.clone(), &Device::Cpu).unwrap();
    let (first, second) = (tensor(&golden.first), tensor(&golden.second));
    let inputs = Var::from_tensor(&tensor(&golden.inputs)).unwrap();
    for (between, name) in [(Between::Nothing, "nothing"), (Between::Batch, "batch"), (Between::Layer, "layer")] {
        let found = jacobian_norms(between, [&first, &second], &inputs).unwrap();
        assert_eq!(found.len(), golden.norms[name].len());
        for (found, expected) in found.iter().zip(&golden.norms[name]) {
            assert!((found - expected).abs() < 1e-12, "{name}: {found} {expected}");
        }
    }
}
