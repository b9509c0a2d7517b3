//! Calls the five networks. Each call makes a new network, gives it the batches one after the other, and answers with
//! its output for each batch and its running statistics at the end.

use crate::wire::Value;
use submission::{net1, net2, net3, net4, net5, table::Table};

pub fn call(function: &str, arguments: &[Value]) -> Result<Vec<Value>, String> {
    match (function, arguments) {
        ("net1", [weights, gain, bias, readout, momentum, modes, batches @ ..]) => {
            let units = gain.values.len();
            let mut net = net1::Net {
                weights: table(weights),
                gain: gain.values.clone(),
                bias: bias.values.clone(),
                readout: readout.values.clone(),
                momentum: momentum.values[0],
                running_mean: vec![0.0; units],
                running_variance: vec![1.0; units],
            };
            let mut answer = answers(modes, batches, |batch, training| net.forward(batch, training));
            answer.extend([Value::vector(net.running_mean), Value::vector(net.running_variance)]);
            Ok(answer)
        }
        ("net2", [first, second, first_norm, second_norm, readout, momentum, modes, batches @ ..]) => {
            let norm = |gain_and_bias: &Value| {
                let (gain, bias) = gain_and_bias.values.split_at(gain_and_bias.shape[1]);
                net2::BatchNorm {
                    gain: gain.to_vec(),
                    bias: bias.to_vec(),
                    momentum: momentum.values[0],
                    running_mean: vec![0.0; gain.len()],
                    running_variance: vec![1.0; gain.len()],
                    training: true,
                }
            };
            let mut net = net2::Net {
                weights: [table(first), table(second)],
                norms: [norm(first_norm), norm(second_norm)],
                readout: readout.values.clone(),
            };
            let mut answer = answers(modes, batches, |batch, training| {
                net.set_training(training);
                net.forward(batch)
            });
            for norm in net.norms {
                answer.extend([Value::vector(norm.running_mean), Value::vector(norm.running_variance)]);
            }
            Ok(answer)
        }
        ("net3", [gain, bias, weights, offset, p, modes, batches @ ..]) => {
            let units = gain.values.len();
            let mut net = net3::Net {
                gain: gain.values.clone(),
                bias: bias.values.clone(),
                weights: weights.values.clone(),
                offset: offset.values[0],
                p: p.values[0],
                running_mean: vec![0.0; units],
                running_variance: vec![1.0; units],
            };
            let mut answer = answers(modes, batches, |batch, training| net.forward(batch, training));
            answer.extend([Value::vector(net.running_mean), Value::vector(net.running_variance)]);
            Ok(answer)
        }
        // Inputs and targets alternate; modes: 0 evaluation, 1 training, 2 probe.
        ("net4", [weights, gain, bias, readout, modes, batches @ ..]) => {
            let units = gain.values.len();
            let mut net = net4::Net {
                weights: table(weights),
                gain: gain.values.clone(),
                bias: bias.values.clone(),
                readout: readout.values.clone(),
                batches: 0,
                running_mean: vec![0.0; units],
                running_variance: vec![1.0; units],
            };
            let mut answer = Vec::new();
            for (mode, batch) in modes.values.iter().zip(batches.chunks(2)) {
                let inputs = table(&batch[0]);
                answer.push(if *mode == 2.0 {
                    Value::scalar(net.training_loss(&inputs, &batch[1].values))
                } else if *mode == 1.0 {
                    Value::vector(net.forward(&inputs, net4::Mode::Training))
                } else {
                    Value::vector(net.forward(&inputs, net4::Mode::Evaluation))
                });
            }
            answer.extend([
                Value::vector(net.running_mean),
                Value::vector(net.running_variance),
                Value::scalar(net.batches as f64),
            ]);
            Ok(answer)
        }
        ("net5", [weights, gain, bias, readout, momentum, batch_size, data, others]) => {
            let units = gain.values.len();
            let mut net = net5::Net {
                weights: table(weights),
                gain: gain.values.clone(),
                bias: bias.values.clone(),
                readout: readout.values.clone(),
                momentum: momentum.values[0],
                running_mean: vec![0.0; units],
                running_variance: vec![1.0; units],
            };
            let trained = Value::vector(net.epoch(&table(data), batch_size.values[0] as usize));
            let evaluated = Value::vector(net.evaluate(&table(others)));
            Ok(vec![trained, evaluated, Value::vector(net.running_mean), Value::vector(net.running_variance)])
        }
        _ => Err(format!("a3 has no function {function} with {} arguments", arguments.len())),
    }
}

/// Gives the output for each batch; mode 1 is training.
fn answers(modes: &Value, batches: &[Value], mut forward: impl FnMut(&Table, bool) -> Vec<f64>) -> Vec<Value> {
    let pairs = modes.values.iter().zip(batches);
    pairs.map(|(mode, batch)| Value::vector(forward(&table(batch), *mode == 1.0))).collect()
}

fn table(value: &Value) -> Table {
    Table::new(value.shape[0], value.shape[1], value.values.clone())
}
