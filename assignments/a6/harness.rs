//! Calls the normalization layer of A6. The last argument of a call is the input that the properties of its answers
//! refer to.

use crate::wire::Value;
use candle_core::{DType, Device, Error, Result as Done, Tensor, Var};
use normbook::data::{fashion_mnist::Files, dataset::Dataset};
use normbook::norm::{NormKind, Norm, Pass, own::Own};
use normbook::probe::rate_sweep::{BEST_ACCURACY, MEAN_ACCURACY};
use normbook::probe::{benchmark::Benchmark, train_eval::LOGIT_GAP};
use normbook::train::{accuracy::TEST_ACCURACY, optimizer::OptimizerKind};
use normbook_lab::seed::Seed;
use normbook_lab::trial::{Trace, Trial};
use submission::Mine;

const CPU: &Device = &Device::Cpu;
const OWN: Own =
    Own { name: "yours", build: |channels, dtype, device| Ok(Box::new(Mine::new(channels, dtype, device)?)) };

pub fn call(function: &str, arguments: &[Value]) -> Result<Vec<Value>, String> {
    let answer = match (function, arguments) {
        ("train", [x]) => train(x),
        // The loss, its gradient with respect to x, and with respect to t, where the parameters are θ + t d.
        ("loss", [u, x]) => tensor(x).and_then(|x| number(&loss(&layer(x.dims())?, u, &x)?)),
        ("slope", [u, x]) => slope(u, x),
        ("parameter_loss", [u, x, t]) => parameter_loss(u, x, t),
        ("parameter_slope", [u, x, t]) => parameter_slope(u, x, t),
        ("evaluate", [batch, x]) => evaluate(batch, x),
        ("evaluate_twice", [batch, x]) => evaluate_twice(batch, x),
        ("evaluate_around_looks", [batch, x]) => evaluate_around_looks(batch, x),
        ("yours", [how]) => row(NormKind::Own(OWN), how),
        ("none" | "batch" | "layer", [how]) => function.parse().map_err(Error::wrap).and_then(|norm| row(norm, how)),
        _ => return Err(format!("a6 has no function {function} with {} arguments", arguments.len())),
    };
    answer.map_err(|error| error.to_string())
}

fn layer(shape: &[usize]) -> Done<Mine> {
    let channels = shape.get(1).copied().ok_or_else(|| Error::msg("an input has channels"))?;
    Mine::new(channels, DType::F64, CPU)
}

fn train(x: &Value) -> Done<Vec<Value>> {
    Ok(vec![value(&layer(&x.shape)?.forward(&tensor(x)?, Pass::TRAIN)?)?])
}

fn slope(u: &Value, x: &Value) -> Done<Vec<Value>> {
    let x = Var::from_tensor(&tensor(x)?)?;
    let gradients = loss(&layer(x.dims())?, u, &x)?.backward()?;
    let gradient = gradients.get(&x).ok_or_else(|| Error::msg("no gradient reaches the input"))?;
    Ok(vec![value(gradient)?])
}

fn parameter_slope(u: &Value, x: &Value, t: &Value) -> Done<Vec<Value>> {
    let layer = moved_layer(&x.shape, t.values[0])?;
    let gradients = loss(&layer, u, &tensor(x)?)?.backward()?;
    let mut along = 0.0;
    for (index, parameter) in layer.parameters().iter().enumerate() {
        let gradient = gradients.get(parameter).ok_or_else(|| Error::msg("no gradient reaches a parameter"))?;
        along += (gradient * direction(index, parameter)?)?.sum_all()?.to_scalar::<f64>()?;
    }
    Ok(vec![Value::scalar(along)])
}

fn parameter_loss(u: &Value, x: &Value, t: &Value) -> Done<Vec<Value>> {
    number(&loss(&moved_layer(&x.shape, t.values[0])?, u, &tensor(x)?)?)
}

/// Computes the loss L = Σ u y of a training step.
fn loss(layer: &Mine, u: &Value, x: &Tensor) -> Done<Tensor> {
    (layer.forward(x, Pass::TRAIN)? * tensor(u)?)?.sum_all()
}

/// Makes a layer whose parameters are θ + t d.
fn moved_layer(shape: &[usize], t: f64) -> Done<Mine> {
    let layer = layer(shape)?;
    for (index, parameter) in layer.parameters().iter().enumerate() {
        parameter.set(&(parameter.as_detached_tensor() + (direction(index, parameter)? * t)?)?)?;
    }
    Ok(layer)
}

/// A direction with a different entry for each number of each parameter.
fn direction(index: usize, parameter: &Var) -> Done<Tensor> {
    let numbers = (0..parameter.elem_count()).map(|place| (1.0 + place as f64 + 7.0 * index as f64).sin());
    Tensor::from_vec(numbers.collect::<Vec<f64>>(), parameter.dims(), CPU)
}

fn evaluate(batch: &Value, x: &Value) -> Done<Vec<Value>> {
    Ok(vec![value(&trained(batch)?.forward(&tensor(x)?, Pass::EVAL)?)?])
}

fn evaluate_twice(batch: &Value, x: &Value) -> Done<Vec<Value>> {
    let layer = trained(batch)?;
    (0..2).map(|_| value(&layer.forward(&tensor(x)?, Pass::EVAL)?)).collect()
}

/// Evaluates before and after probes of another batch.
fn evaluate_around_looks(batch: &Value, x: &Value) -> Done<Vec<Value>> {
    let layer = trained(batch)?;
    let before = value(&layer.forward(&tensor(x)?, Pass::EVAL)?)?;
    for step in 0..2 {
        layer.forward(&(tensor(batch)? * 3.0)?, Pass::probe(step, Seed(1)))?;
    }
    Ok(vec![before, value(&layer.forward(&tensor(x)?, Pass::EVAL)?)?])
}

/// Makes a layer that has seen this batch in three forward passes in training mode.
fn trained(batch: &Value) -> Done<Mine> {
    let (layer, batch) = (layer(&batch.shape)?, tensor(batch)?);
    for step in 0..3 {
        layer.forward(&batch, Pass::train(step, Seed(0)))?;
    }
    Ok(layer)
}

/// Computes a row of chapter 16's table; `how` holds the number of the CNN's training steps and the seed.
fn row(norm: NormKind, how: &Value) -> Done<Vec<Value>> {
    let data = Dataset::new(&Files::embedded()).map_err(Error::msg)?;
    let (steps, seed) = (how.values[0] as u64, Seed(how.values[1] as u64));
    let tasks = Benchmark { data: &data, norm, rule: OptimizerKind::Sgd, learning_rate: 0.1, steps };
    let find = |trace: &Trace, name: &str| {
        trace.values.get(name).copied().ok_or_else(|| Error::msg(format!("{norm}: no {name}: the net diverged")))
    };
    let cnn = tasks.cnn().run_alone(seed, CPU)?;
    let mlps: Vec<Trace> = tasks.mlps().iter().map(|(_, sweep)| sweep.run_alone(seed, CPU)).collect::<Done<_>>()?;
    let [large, small] = &mlps[..] else { return Err(Error::msg(format!("{norm} does not fit an MLP"))) };
    Ok(vec![Value::vector(vec![
        find(large, BEST_ACCURACY)?,
        find(small, BEST_ACCURACY)?,
        find(large, MEAN_ACCURACY)?,
        find(&cnn, TEST_ACCURACY)?,
        find(&cnn, "gradient_beta")?,
        find(&cnn, LOGIT_GAP)?,
    ])])
}

fn tensor(value: &Value) -> Done<Tensor> {
    Tensor::from_vec(value.values.clone(), value.shape.clone(), CPU)
}

fn value(tensor: &Tensor) -> Done<Value> {
    Ok(Value { shape: tensor.dims().to_vec(), values: tensor.flatten_all()?.to_vec1()? })
}

fn number(tensor: &Tensor) -> Done<Vec<Value>> {
    Ok(vec![Value::scalar(tensor.to_scalar()?)])
}
