//! Calls the functions of A1. A loss that is never reached takes infinitely many steps.

use crate::wire::Value;
use submission::{Matrix, Scaler, best_rate, condition_number, gradient, hessian, prepare, raw_weights, steps_to};

pub fn call(function: &str, arguments: &[Value]) -> Result<Vec<Value>, String> {
    match (function, arguments) {
        ("fit", [train]) => {
            let Scaler { mean, deviation } = Scaler::fit(&matrix(train));
            Ok(vec![Value::vector(mean), Value::vector(deviation)])
        }
        ("apply", [mean, deviation, examples]) => {
            let scaler = Scaler { mean: mean.values.clone(), deviation: deviation.values.clone() };
            Ok(vec![table(scaler.apply(&matrix(examples)))])
        }
        ("fit_and_apply", [train]) => {
            let train = matrix(train);
            Ok(vec![table(Scaler::fit(&train).apply(&train))])
        }
        ("prepare", [train, test]) => {
            let (train, test) = prepare(&matrix(train), &matrix(test));
            Ok(vec![table(train), table(test)])
        }
        ("hessian", [inputs]) => Ok(vec![table(hessian(&matrix(inputs)))]),
        ("condition_number", [hessian]) => Ok(vec![Value::scalar(condition_number(&matrix(hessian)))]),
        ("best_rate", [hessian]) => {
            let best = best_rate(&matrix(hessian));
            Ok(vec![Value::scalar(best.rate), Value::scalar(best.factor)])
        }
        ("gradient", [inputs, targets, weights]) => {
            Ok(vec![Value::vector(gradient(&matrix(inputs), &targets.values, &weights.values))])
        }
        ("steps_to", [inputs, targets, rate, fraction, most]) => {
            let (rate, fraction, most) = (rate.values[0], fraction.values[0], most.values[0] as usize);
            let steps = steps_to(&matrix(inputs), &targets.values, rate, fraction, most);
            Ok(vec![Value::scalar(steps.map_or(f64::INFINITY, |steps| steps as f64))])
        }
        ("raw_weights", [weights, bias, mean, deviation]) => {
            let scaler = Scaler { mean: mean.values.clone(), deviation: deviation.values.clone() };
            let (raw, bias) = raw_weights(&weights.values, bias.values[0], &scaler);
            Ok(vec![Value::vector(raw), Value::scalar(bias)])
        }
        _ => Err(format!("a1 has no function {function} with {} arguments", arguments.len())),
    }
}

fn matrix(value: &Value) -> Matrix {
    Matrix::new(value.shape[0], value.shape[1], value.values.clone())
}

fn table(matrix: Matrix) -> Value {
    Value { shape: vec![matrix.rows, matrix.columns], values: matrix.values }
}
