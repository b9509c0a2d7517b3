//! Chapter 2's Jacobians against PyTorch's (tests/golden/ch02.py).

use candle_core::{Device, Tensor, Var};
use normbook::probe::cross_example::{Between, jacobian_norms};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Golden {
    inputs: Vec<Vec<f64>>,
    first: Vec<Vec<f64>>,
    second: Vec<Vec<f64>>,
    norms: BTreeMap<String, Vec<f64>>,
}

#[test]
fn jacobians_across_examples_are_those_of_pytorch() {
    let golden: Golden = serde_json::from_str(include_str!("golden/ch02.json")).unwrap();
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
