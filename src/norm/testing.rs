//! What the tests of the normalization layers share: numbers in f64, a layer against its definition, gradients against
//! central differences, golden values of PyTorch.

use super::{Norm, Pass};
use candle_core::{DType, Device, Result, Tensor, Var};
use normbook_lab::seed::{Purpose, Seed};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Draws independent normal numbers in f64; another `stream` gives others.
pub fn normal(stream: u64, dims: &[usize]) -> Tensor {
    let tensor = Seed(0).stream(Purpose::Probe, stream).normal_tensor(dims, 1.0, &Device::Cpu).unwrap();
    tensor.to_dtype(DType::F64).unwrap()
}

pub fn variable(stream: u64, dims: &[usize]) -> Var {
    Var::from_tensor(&normal(stream, dims)).unwrap()
}

/// Returns all values of a tensor, row by row.
pub fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Moves the parameters away from where they start: a 0 or a 1 could hide an error.
pub fn scatter(parameters: &[Var]) {
    for (index, parameter) in parameters.iter().enumerate() {
        let by = (normal(100 + index as u64, parameter.dims()) * 0.3).unwrap().to_dtype(parameter.dtype()).unwrap();
        parameter.set(&(parameter.as_detached_tensor() + by).unwrap()).unwrap();
    }
}

/// Asserts that the values are as expected, within `tolerance` times the largest of them or 1.
#[track_caller]
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance * scale, "value {index}: {found:e}, not {expected:e}");
    }
}

/// Computes (x − μ) / √(σ² + ε), with the statistics of all these values.
pub fn standardized(x: &[f64], epsilon: f64) -> Vec<f64> {
    let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mean = mean_of(x);
    let variance = mean_of(&x.iter().map(|x| (x - mean).powi(2)).collect::<Vec<_>>());
    x.iter().map(|x| (x - mean) / (variance + epsilon).sqrt()).collect()
}

/// Returns the largest difference of the values, relative to the largest value of `other`.
pub fn apart(one: &Tensor, other: &Tensor) -> f64 {
    let (one, other) = (values(one), values(other));
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    largest(&mut one.iter().zip(&other).map(|(a, b)| (a - b).abs())) / largest(&mut other.iter().map(|b| b.abs()))
}

/// Asserts that a layer's `forward` gives what its definition gives, with the gradients by input and parameters and
/// the state that it keeps: in training, in a probe, in evaluation afterwards; for each shape, in f64 and in f32;
/// with random γ and β.
#[track_caller]
pub fn assert_definition<L: Norm>(
    shapes: &[&[usize]],
    new: impl Fn(DType) -> Result<L>,
    definition: impl Fn(&L, &Tensor, Pass) -> Result<Tensor>,
) {
    for dims in shapes {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
            let [by_kernel, by_definition] = [(); 2].map(|()| new(dtype).unwrap());
            let passes = [Pass::train(0, Seed(1)), Pass::train(5, Seed(1)), Pass::probe(6, Seed(1)), Pass::EVAL];
            for layer in [&by_kernel, &by_definition] {
                scatter(&layer.parameters());
            }
            for (stream, pass) in passes.into_iter().enumerate() {
                let input = ((normal(stream as u64, dims) * 1.5).unwrap() + 0.5).unwrap().to_dtype(dtype).unwrap();
                let input = Var::from_tensor(&input).unwrap();
                let found = with_gradients(&by_kernel, &input, by_kernel.forward(&input, pass).unwrap());
                let expected =
                    with_gradients(&by_definition, &input, definition(&by_definition, &input, pass).unwrap());
                for (found, expected) in found.iter().zip(&expected) {
                    assert_close(found, expected, tolerance);
                }
            }
        }
    }
}

/// Returns the values of an output, of the gradients of ⟨r, output⟩ with a random r by input and parameters, and of the
/// layer's state.
fn with_gradients(layer: &impl Norm, input: &Var, output: Tensor) -> Vec<Vec<f64>> {
    let r = normal(99, output.dims()).to_dtype(output.dtype()).unwrap();
    let gradients = (&output * r).unwrap().sum_all().unwrap().backward().unwrap();
    let gradient = |variable: &Var| values(gradients.get(variable).expect("every parameter has a gradient"));
    let mut all = vec![values(&output), gradient(input)];
    all.extend(layer.parameters().iter().map(gradient));
    all.extend(layer.state().iter().map(|state| values(state)));
    all
}

/// Half the width of a central difference.
const STEP: f64 = 1e-5;

/// Asserts that the gradient of ⟨r, f⟩ with a random r is, for each value of each variable, the central difference of
/// ⟨r, definition⟩, and is not 0 everywhere. Where the method takes something for a constant, the definition holds it.
pub fn assert_gradients(variables: &[Var], f: impl Fn() -> Result<Tensor>, definition: impl Fn() -> Result<Tensor>) {
    let weighted = |output: Tensor| (&output * normal(99, output.dims())).unwrap().sum_all().unwrap();
    let gradients = weighted(f().unwrap()).backward().unwrap();
    for (index, variable) in variables.iter().enumerate() {
        let gradient = values(gradients.get(variable).unwrap_or_else(|| panic!("variable {index} has no gradient")));
        assert!(gradient.iter().any(|value| value.abs() > 1e-6), "variable {index}: {gradient:?}");
        let start = values(variable);
        let at = |place: usize, by: f64| {
            let mut moved = start.clone();
            moved[place] += by;
            variable.set(&Tensor::from_vec(moved, variable.dims(), &Device::Cpu).unwrap()).unwrap();
            weighted(definition().unwrap()).to_scalar::<f64>().unwrap()
        };
        let difference = |place: usize| (at(place, STEP) - at(place, -STEP)) / (2.0 * STEP);
        let differences: Vec<f64> = (0..start.len()).map(difference).collect();
        at(0, 0.0);
        assert_close(&gradient, &differences, 1e-7);
    }
}

/// Asserts the same for a layer whose definition is its own forward pass, by its input and its parameters.
pub fn assert_gradients_of(layer: &dyn Norm, dims: &[usize], pass: Pass) {
    scatter(&layer.parameters());
    let input = variable(1, dims);
    let forward = || layer.forward(&input, pass);
    assert_gradients(&[vec![input.clone()], layer.parameters()].concat(), forward, forward);
}

/// An array from PyTorch.
#[derive(Deserialize)]
pub struct Array {
    dims: Vec<usize>,
    values: Vec<f64>,
}

impl Array {
    pub fn tensor(&self) -> Tensor {
        Tensor::new(&*self.values, &Device::Cpu).unwrap().reshape(&*self.dims).unwrap()
    }

    pub fn variable(&self) -> Var {
        Var::from_tensor(&self.tensor()).unwrap()
    }
}

/// The results of one PyTorch layer in f64, from `golden.py`.
#[derive(Deserialize)]
pub struct Golden {
    pub input: Array,
    pub parameters: Vec<Array>,
    pub upstream: Array,
    pub output: Array,
    /// By the input, then by the parameters.
    pub gradients: Vec<Array>,
    /// The layer's state, before and after.
    #[serde(default)]
    pub kept: Vec<Array>,
    /// The output in evaluation, afterwards.
    pub evaluated: Option<Array>,
}

/// Returns the results of the layer of this name.
pub fn golden(name: &str) -> Golden {
    let text = include_str!("golden.json");
    let mut all: BTreeMap<String, Golden> = serde_json::from_str(text).unwrap();
    all.remove(name).unwrap_or_else(|| panic!("golden.json has no {name}"))
}

/// Asserts that a layer gives what PyTorch's layer gives, with its gradients.
pub fn assert_golden(name: &str, layer: &dyn Norm) {
    let Golden { input, parameters, upstream, output, gradients, .. } = golden(name);
    let input = input.variable();
    assert_eq!(parameters.len(), layer.parameters().len());
    for (parameter, value) in layer.parameters().iter().zip(&parameters) {
        parameter.set(&value.tensor()).unwrap();
    }
    let found = layer.forward(&input, Pass::PROBE).unwrap();
    assert_close(&values(&found), &output.values, 1e-10);
    let found = (found * upstream.tensor()).unwrap().sum_all().unwrap().backward().unwrap();
    for (variable, expected) in [vec![input], layer.parameters()].concat().iter().zip(&gradients) {
        assert_close(&values(found.get(variable).unwrap()), &expected.values, 1e-10);
    }
}
