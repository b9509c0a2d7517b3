//! Calls the functions of A4. A normalization is a vector of two numbers: its kind and its number of groups.

use crate::wire::Value;
use submission::{Change, Norm, Probe, Shape, Statistics, invariances, normalize, statistics};

pub fn call(function: &str, arguments: &[Value]) -> Result<Vec<Value>, String> {
    match (function, arguments) {
        ("set_of", [sizes, which]) => {
            let (shape, norm) = (shape(&sizes.values), norm(&which.values)?);
            let pairs = (0..shape.n).flat_map(|n| (0..shape.channels).map(move |channel| (n, channel)));
            let values = pairs.map(|(n, channel)| norm.set_of(shape, n, channel) as f64).collect();
            Ok(vec![Value { shape: vec![shape.n, shape.channels], values }])
        }
        ("statistics", [x, which]) => {
            let Statistics { mean, variance } = statistics(&x.values, shape_of(x), norm(&which.values)?);
            Ok(vec![Value::vector(mean), Value::vector(variance)])
        }
        ("normalize", [x, which, gain, bias, epsilon]) => {
            let norm = norm(&which.values)?;
            let y = normalize(&x.values, shape_of(x), norm, &gain.values, &bias.values, epsilon.values[0]);
            Ok(vec![x.like(y)])
        }
        ("changed", [x, weights, factor, shift, row, change]) => {
            let change = Change::ALL[change.values[0] as usize];
            let changed = probe(x, weights, factor, shift, row).changed(change);
            Ok(vec![x.like(changed.x), weights.like(changed.weights)])
        }
        ("normalized", [x, weights, factor, shift, row, which]) => {
            let probe = probe(x, weights, factor, shift, row);
            let shape = vec![x.shape[0], weights.shape[0], x.shape[2], x.shape[3]];
            Ok(vec![Value { shape, values: probe.normalized(norm(&which.values)?) }])
        }
        ("invariances", [x, weights, factor, shift, row, norms]) => {
            let norms = norms.values.chunks(2).map(norm).collect::<Result<Vec<Norm>, String>>()?;
            let table = invariances(&probe(x, weights, factor, shift, row), &norms);
            let values = table.iter().flatten().map(|cell| f64::from(*cell)).collect();
            Ok(vec![Value { shape: vec![table.len(), Change::ALL.len()], values }])
        }
        _ => Err(format!("a4 has no function {function} with {} arguments", arguments.len())),
    }
}

fn probe(x: &Value, weights: &Value, factor: &Value, shift: &Value, row: &Value) -> Probe {
    Probe {
        x: x.values.clone(),
        inputs: shape_of(x),
        weights: weights.values.clone(),
        outputs: weights.shape[0],
        factor: factor.values[0],
        shift: shift.values[0],
        row: row.values.clone(),
    }
}

fn norm(which: &[f64]) -> Result<Norm, String> {
    match which[0] as usize {
        0 => Ok(Norm::Batch),
        1 => Ok(Norm::Layer),
        2 => Ok(Norm::Instance),
        3 => Ok(Norm::Group(which[1] as usize)),
        other => Err(format!("there is no norm {other}")),
    }
}

fn shape(sizes: &[f64]) -> Shape {
    let size = |index: usize| sizes[index] as usize;
    Shape { n: size(0), channels: size(1), height: size(2), width: size(3) }
}

fn shape_of(x: &Value) -> Shape {
    Shape { n: x.shape[0], channels: x.shape[1], height: x.shape[2], width: x.shape[3] }
}
