//! Calls the functions of A5. A network is four values: its parameters, the two running statistics, and a vector with
//! the momentum, the dropout probability and the state of its random stream.

use crate::wire::Value;
use submission::{Batch, Net, Stream, Walk, distance, length, quiet_slope, train, train_unmeasured, walk};

pub fn call(function: &str, arguments: &[Value]) -> Result<Vec<Value>, String> {
    match (function, arguments) {
        ("length", [v]) => Ok(vec![Value::scalar(length(&v.values))]),
        ("distance", [a, b]) => Ok(vec![Value::scalar(distance(&a.values, &b.values))]),
        // Twice, because the second call shows what the first one changed.
        ("quiet_slope", [net @ .., inputs, targets]) => {
            let (mut net, batch) = (build(net)?, batch(inputs, targets));
            let slopes = [quiet_slope(&mut net, &batch), quiet_slope(&mut net, &batch)];
            Ok(slopes
                .into_iter()
                .flat_map(|slope| [Value::scalar(slope.loss), Value::vector(slope.gradient)])
                .collect())
        }
        ("state_after_quiet_slope", [net @ .., inputs, targets]) => {
            let mut net = build(net)?;
            let slope = quiet_slope(&mut net, &batch(inputs, targets));
            Ok(with_count(&net, slope.gradient.len()))
        }
        ("walk_loss", [net @ .., inputs, targets, distances]) => {
            Ok(vec![Value::vector(walk(&mut build(net)?, &batch(inputs, targets), &distances.values).loss)])
        }
        ("walk_change", [net @ .., inputs, targets, distances]) => {
            Ok(vec![Value::vector(walk(&mut build(net)?, &batch(inputs, targets), &distances.values).change)])
        }
        ("walk_beta", [net @ .., inputs, targets, distances]) => {
            Ok(vec![Value::vector(walk(&mut build(net)?, &batch(inputs, targets), &distances.values).beta)])
        }
        ("state_after_walk", [net @ .., inputs, targets, distances]) => {
            let mut net = build(net)?;
            let walk = walk(&mut net, &batch(inputs, targets), &distances.values);
            Ok(with_count(&net, walk.loss.len()))
        }
        ("ranges", [loss, change, beta]) => {
            let walk = seen(loss, change, beta);
            let pair = |(low, high)| Value::vector(vec![low, high]);
            Ok(vec![pair(walk.loss_range()), pair(walk.change_range())])
        }
        ("effective_beta", [loss, change, beta]) => Ok(vec![Value::scalar(seen(loss, change, beta).effective_beta())]),
        // For each step and each η′ the loss, the change and β.
        ("train", [net @ .., inputs, targets, how, multiples]) => {
            let (size, rate, steps) = (how.values[0] as usize, how.values[1], how.values[2] as usize);
            let data = batch(inputs, targets);
            let walks = train(&mut build(net)?, &data, size, rate, steps, &multiples.values);
            let table = |of: fn(&Walk) -> &Vec<f64>| {
                let columns = walks.iter().map(|walk| of(walk).len()).max().unwrap_or(0);
                let values: Vec<f64> = walks.iter().flat_map(of).copied().collect();
                if values.len() == walks.len() * columns {
                    Ok(Value { shape: vec![walks.len(), columns], values })
                } else {
                    Err("the walks of train() are not equally long".to_owned())
                }
            };
            Ok(vec![table(|walk| &walk.loss)?, table(|walk| &walk.change)?, table(|walk| &walk.beta)?])
        }
        // The distance between the final parameters and those of a training without walks.
        ("disturbance", [net @ .., inputs, targets, how, multiples]) => {
            let (size, rate, steps) = (how.values[0] as usize, how.values[1], how.values[2] as usize);
            let data = batch(inputs, targets);
            let (mut measured, mut unmeasured) = (build(net)?, build(net)?);
            let walks = train(&mut measured, &data, size, rate, steps, &multiples.values);
            train_unmeasured(&mut unmeasured, &data, size, rate, steps);
            let pairs = state(&measured).into_iter().zip(state(&unmeasured));
            let less =
                |(a, b): (Value, Value)| Value::vector(a.values.iter().zip(&b.values).map(|(a, b)| a - b).collect());
            let seen = walks.iter().map(|walk| walk.loss.len() as f64).sum();
            Ok(pairs.map(less).chain([Value::scalar(seen)]).collect())
        }
        _ => Err(format!("a5 has no function {function} with {} arguments", arguments.len())),
    }
}

fn build(net: &[Value]) -> Result<Net, String> {
    let [parameters, mean, variance, rest] = net else {
        return Err(format!("a net is 4 values, not {}", net.len()));
    };
    Ok(Net {
        hidden: mean.values.len(),
        parameters: parameters.values.clone(),
        running_mean: mean.values.clone(),
        running_variance: variance.values.clone(),
        momentum: rest.values[0],
        drop: rest.values[1],
        stream: Stream { state: rest.values[2] as u64 },
    })
}

/// Gives parameters, running mean, running variance, and the state of the random stream in two halves, which an f64
/// holds exactly.
fn state(net: &Net) -> Vec<Value> {
    let stream = vec![(net.stream.state >> 32) as f64, (net.stream.state & 0xFFFF_FFFF) as f64];
    [net.parameters.clone(), net.running_mean.clone(), net.running_variance.clone(), stream].map(Value::vector).into()
}

/// Gives the state, and how much was measured, because a function that measures nothing changes nothing either.
fn with_count(net: &Net, count: usize) -> Vec<Value> {
    let mut values = state(net);
    values.push(Value::scalar(count as f64));
    values
}

fn batch(inputs: &Value, targets: &Value) -> Batch {
    Batch { inputs: inputs.values.clone(), targets: targets.values.clone() }
}

fn seen(loss: &Value, change: &Value, beta: &Value) -> Walk {
    Walk { loss: loss.values.clone(), change: change.values.clone(), beta: beta.values.clone() }
}
