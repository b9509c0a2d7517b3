//! Calls the functions of A2. Each call makes a new layer.

use crate::wire::Value;
use submission::{BatchNorm, Shape, mean_and_variance, mean_and_variance_f32};

pub fn call(function: &str, arguments: &[Value]) -> Result<Vec<Value>, String> {
    match (function, arguments) {
        ("mean_and_variance", [x]) => {
            let (mean, variance) = mean_and_variance(&x.values, x.shape[1]);
            Ok(vec![Value::vector(mean), Value::vector(variance)])
        }
        ("mean_and_variance_f32", [x]) => {
            let narrow: Vec<f32> = x.values.iter().map(|value| *value as f32).collect();
            let (mean, variance) = mean_and_variance_f32(&narrow, x.shape[1]);
            let wide = |values: Vec<f32>| Value::vector(values.into_iter().map(f64::from).collect());
            Ok(vec![wide(mean), wide(variance)])
        }
        ("forward", [gamma, beta, epsilon, x]) => {
            let (y, _) = layer(gamma, beta, epsilon).forward(&x.values);
            Ok(vec![x.like(y)])
        }
        // The running statistics after all the batches.
        ("follow", [momentum, batches @ ..]) => {
            let mut layer = follower(momentum, batches[0].shape[1]);
            batches.iter().for_each(|x| layer.follow(&x.values));
            Ok(vec![Value::vector(layer.running_mean), Value::vector(layer.running_variance)])
        }
        ("evaluate", [gamma, beta, epsilon, mean, variance, x]) => {
            let y = evaluator(gamma, beta, epsilon, mean, variance).evaluate(&x.values);
            Ok(vec![x.like(y)])
        }
        ("backward_parameters", [gamma, beta, epsilon, x, upstream]) => {
            let layer = layer(gamma, beta, epsilon);
            let (_, cache) = layer.forward(&x.values);
            let (of_gamma, of_beta) = layer.backward_parameters(&cache, &upstream.values);
            Ok(vec![Value::vector(of_gamma), Value::vector(of_beta)])
        }
        ("backward_inputs", [gamma, beta, epsilon, x, upstream]) => {
            let layer = layer(gamma, beta, epsilon);
            let (_, cache) = layer.forward(&x.values);
            Ok(vec![x.like(layer.backward_inputs(&cache, &upstream.values))])
        }
        ("forward_2d", [gamma, beta, epsilon, x]) => {
            let (y, _) = layer(gamma, beta, epsilon).forward_2d(&x.values, shape(x));
            Ok(vec![x.like(y)])
        }
        ("follow_2d", [momentum, batches @ ..]) => {
            let mut layer = follower(momentum, batches[0].shape[1]);
            batches.iter().for_each(|x| layer.follow_2d(&x.values, shape(x)));
            Ok(vec![Value::vector(layer.running_mean), Value::vector(layer.running_variance)])
        }
        ("evaluate_2d", [gamma, beta, epsilon, mean, variance, x]) => {
            let y = evaluator(gamma, beta, epsilon, mean, variance).evaluate_2d(&x.values, shape(x));
            Ok(vec![x.like(y)])
        }
        ("backward_2d", [gamma, beta, epsilon, x, upstream]) => {
            let layer = layer(gamma, beta, epsilon);
            let (_, cache) = layer.forward_2d(&x.values, shape(x));
            let gradients = layer.backward_2d(&cache, &upstream.values, shape(x));
            Ok(vec![x.like(gradients.x), Value::vector(gradients.gamma), Value::vector(gradients.beta)])
        }
        _ => Err(format!("a2 has no function {function} with {} arguments", arguments.len())),
    }
}

fn layer(gamma: &Value, beta: &Value, epsilon: &Value) -> BatchNorm {
    BatchNorm {
        gamma: gamma.values.clone(),
        beta: beta.values.clone(),
        epsilon: epsilon.values[0],
        ..BatchNorm::new(gamma.values.len())
    }
}

fn evaluator(gamma: &Value, beta: &Value, epsilon: &Value, mean: &Value, variance: &Value) -> BatchNorm {
    BatchNorm {
        running_mean: mean.values.clone(),
        running_variance: variance.values.clone(),
        ..layer(gamma, beta, epsilon)
    }
}

fn follower(momentum: &Value, features: usize) -> BatchNorm {
    BatchNorm { momentum: momentum.values[0], ..BatchNorm::new(features) }
}

fn shape(x: &Value) -> Shape {
    Shape { n: x.shape[0], channels: x.shape[1], height: x.shape[2], width: x.shape[3] }
}
