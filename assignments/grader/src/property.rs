//! Properties of the answers to a test that has no single right answer: the tests of an open assignment.

use crate::call::ExpectedCall;
use crate::compare::{describe, difference, number};
use crate::comparison_table::ComparisonTable;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// What must hold of a test's answers. The *input* of a call is its last argument: the input of a normalization layer,
/// or how far its parameters have moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Property {
    /// Each call gives one output: finite, in the shape of its input.
    #[serde(rename = "shape")]
    KeepsShape,
    /// The first call gives the gradient of a loss with respect to its input. The other calls give that loss, in pairs
    /// whose inputs differ; the loss changes as the gradient says.
    #[serde(rename = "slope")]
    GradientMatchesLoss,
    /// All outputs of a call are the same, bit for bit.
    #[serde(rename = "still")]
    Repeatable,
    /// The first call gives the rows of a batch; each of the other calls gives one of these rows, in their order.
    #[serde(rename = "alone")]
    IndependentOfBatch,
    /// From the first call to the second the output grows by less than a tenth of the factor by which the input grows.
    #[serde(rename = "tamed")]
    ReducesScale,
    /// Each call gives a row of chapter 16's table, and in the first row the MLP has learned something.
    #[serde(rename = "table")]
    TableRow,
}

/// Largest relative difference between a gradient and central differences, or between rows.
const TOLERANCE: f64 = 1e-5;

impl Property {
    /// Says how the answers violate the property; `None` if they have it.
    pub fn violation(self, calls: &[ExpectedCall], answers: &[&[Value]]) -> Option<String> {
        match self {
            Self::KeepsShape => {
                calls.iter().zip(answers).find_map(|(call, answer)| shape_violation(input(call), answer))
            }
            Self::GradientMatchesLoss => gradient_violation(calls, answers),
            Self::Repeatable => answers.iter().find_map(|answer| repetition_violation(answer)),
            Self::IndependentOfBatch => batch_violation(answers),
            Self::ReducesScale => scale_violation(calls, answers),
            Self::TableRow => match ComparisonTable::read(calls, answers) {
                Ok(table) => table.learning_failure(),
                Err(why) => Some(why),
            },
        }
    }
}

fn input(call: &ExpectedCall) -> &Value {
    const NONE: &Value = &Value { shape: Vec::new(), values: Vec::new() };
    call.arguments.last().unwrap_or(NONE)
}

fn shape_violation(input: &Value, answer: &[Value]) -> Option<String> {
    let [output] = answer else { return Some(format!("expected one output, got {}", answer.len())) };
    if output.shape != input.shape {
        return Some(format!("the input is {}, the output {}", describe(input), describe(output)));
    }
    let value = output.values.iter().find(|value| !value.is_finite())?;
    Some(format!("the input is {}, and an output is {value}", describe(input)))
}

fn gradient_violation(calls: &[ExpectedCall], answers: &[&[Value]]) -> Option<String> {
    let ((first, calls), (gradient, losses)) = (calls.split_first()?, answers.split_first()?);
    if let Some(why) = shape_violation(input(first), gradient) {
        return Some(format!("the gradient: {why}"));
    }
    // A scalar input is how far the parameters have moved. A layer without parameters has the gradient 0.
    if !input(first).shape.is_empty() && gradient[0].values.iter().all(|entry| *entry == 0.0) {
        return Some("every entry of the gradient is 0: the output does not depend on the input".to_owned());
    }
    calls.chunks(2).zip(losses.chunks(2)).find_map(|(calls, losses)| {
        let ([forward, backward], [[high], [low]]) = (calls, losses) else {
            return Some("a call must give one loss".to_owned());
        };
        let (Some(high), Some(low)) = (high.values.first(), low.values.first()) else {
            return Some("a loss must be a number".to_owned());
        };
        let steps = input(forward).values.iter().zip(&input(backward).values).map(|(end, start)| end - start);
        let predicted: f64 = steps.zip(&gradient[0].values).map(|(step, entry)| step * entry).sum();
        let actual = high - low;
        (difference(predicted, actual) > TOLERANCE).then(|| {
            let (predicted, actual) = (number(predicted), number(actual));
            format!(
                "along a short line the gradient predicts that the loss changes by {predicted}; it changes by {actual}"
            )
        })
    })
}

/// Reports an output of several equal numbers, which carries no information about the input.
fn constant_output(output: &Value) -> Option<String> {
    let (first, others) = output.values.split_first()?;
    let same = !others.is_empty() && others.iter().all(|value| value == first);
    same.then(|| format!("all numbers of an output are {}, whatever the input", number(*first)))
}

fn repetition_violation(answer: &[Value]) -> Option<String> {
    let bits = |value: &Value| value.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let [first, others @ ..] = answer else { return Some("expected outputs, got none".to_owned()) };
    if let Some(why) = constant_output(first) {
        return Some(why);
    }
    let other = others.iter().find(|other| other.shape != first.shape || bits(other) != bits(first))?;
    let pair = first.values.iter().zip(&other.values).find(|(one, other)| one.to_bits() != other.to_bits());
    Some(match pair {
        Some((one, other)) => format!("the same input gives {} and then {}", number(*one), number(*other)),
        None => format!("the same input gives {} and then {}", describe(first), describe(other)),
    })
}

fn batch_violation(answers: &[&[Value]]) -> Option<String> {
    let (batch, others) = answers.split_first()?;
    let ([batch], false) = (*batch, others.is_empty()) else { return Some("expected rows, got none".to_owned()) };
    if let Some(why) = constant_output(batch) {
        return Some(why);
    }
    let width = batch.values.len() / others.len();
    others.iter().zip(batch.values.chunks(width.max(1))).enumerate().find_map(|(index, (other, row))| {
        let same_size = other.len() == 1 && other[0].values.len() == row.len();
        let differences = other.iter().flat_map(|other| &other.values).zip(row).map(|(a, b)| difference(*a, *b));
        let largest = differences.fold(0.0, f64::max);
        (!same_size || largest > TOLERANCE).then(|| {
            format!("the output of example {index} alone differs from that in a batch, by {largest:.1e} (relative)")
        })
    })
}

fn scale_violation(calls: &[ExpectedCall], answers: &[&[Value]]) -> Option<String> {
    let ([small, large], [[of_small], [of_large]]) = (calls, answers) else {
        return Some("expected two outputs".to_owned());
    };
    if let Some(why) = constant_output(of_small).or_else(|| constant_output(of_large)) {
        return Some(why);
    }
    let norm = |value: &Value| value.values.iter().map(|value| value * value).sum::<f64>().sqrt();
    if norm(of_small) == 0.0 {
        return Some("every number of the output is 0".to_owned());
    }
    let (of_input, of_output) = (norm(input(large)) / norm(input(small)), norm(of_large) / norm(of_small));
    (of_output.is_nan() || of_output > of_input / 10.0)
        .then(|| format!("the input grows by a factor of {}, the output by {}", number(of_input), number(of_output)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(argument: &[f64]) -> ExpectedCall {
        let arguments = vec![Value::vector(argument.to_vec())];
        ExpectedCall { function: "f".into(), arguments, expected: Vec::new(), mistakes: Vec::new() }
    }

    /// Judges calls with these arguments and outputs.
    fn violation(property: Property, arguments: &[&[f64]], outputs: &[&[&[f64]]]) -> String {
        let calls: Vec<ExpectedCall> = arguments.iter().map(|argument| call(argument)).collect();
        let answers: Vec<Vec<Value>> =
            outputs.iter().map(|output| output.iter().map(|values| Value::vector(values.to_vec())).collect()).collect();
        let answers: Vec<&[Value]> = answers.iter().map(Vec::as_slice).collect();
        property.violation(&calls, &answers).unwrap_or_default()
    }

    #[test]
    fn an_output_has_the_shape_of_the_input_and_is_finite() {
        let of = |output: &[&[f64]]| violation(Property::KeepsShape, &[&[1.0, 2.0]], &[output]);
        assert_eq!(of(&[&[5.0, 0.0]]), "");
        assert_eq!(of(&[&[5.0]]), "the input is a vector of 2, the output a vector of 1");
        assert_eq!(of(&[&[5.0, f64::NAN]]), "the input is a vector of 2, and an output is NaN");
        assert_eq!(of(&[]), "expected one output, got 0");
    }

    /// L = x₀² + 3 x₁ at (1, 2), along (0.01, 0.01).
    #[test]
    fn a_loss_changes_as_its_gradient_says() {
        let arguments: [&[f64]; 3] = [&[1.0, 2.0], &[1.01, 2.01], &[0.99, 1.99]];
        let (high, low) = (1.01 * 1.01 + 6.03, 0.99 * 0.99 + 5.97);
        let of =
            |slope: &[f64]| violation(Property::GradientMatchesLoss, &arguments, &[&[slope], &[&[high]], &[&[low]]]);
        assert_eq!(of(&[2.0, 3.0]), "");
        assert!(
            of(&[2.0, 2.9]).starts_with("along a short line the gradient predicts that the loss changes by 0.098;")
        );
        assert!(of(&[2.0]).starts_with("the gradient: the input is a vector of 2"));
        assert!(of(&[f64::NAN, 3.0]).contains("NaN"));
        let constant = violation(Property::GradientMatchesLoss, &arguments, &[&[&[0.0, 0.0]], &[&[1.0]], &[&[1.0]]]);
        assert!(constant.contains("every entry of the gradient is 0"), "{constant}");
        assert_ne!(violation(Property::GradientMatchesLoss, &arguments, &[&[&[2.0, 3.0]], &[&[high]], &[&[]]]), "");
    }

    #[test]
    fn the_same_input_has_the_same_output() {
        assert_eq!(violation(Property::Repeatable, &[&[]], &[&[&[1.0], &[1.0]]]), "");
        assert_eq!(
            violation(Property::Repeatable, &[&[]], &[&[&[1.0], &[1.5]]]),
            "the same input gives 1 and then 1.5"
        );
        assert_ne!(violation(Property::Repeatable, &[&[]], &[&[]]), "");
        let constant = violation(Property::Repeatable, &[&[]], &[&[&[1.0, 1.0], &[1.0, 1.0]]]);
        assert_eq!(constant, "all numbers of an output are 1, whatever the input");
    }

    #[test]
    fn an_example_has_the_same_output_alone_and_in_a_batch() {
        let of = |last: &[f64]| {
            violation(
                Property::IndependentOfBatch,
                &[&[], &[], &[]],
                &[&[&[1.0, 2.0, 3.0, 4.0]], &[&[1.0, 2.0]], &[last]],
            )
        };
        assert_eq!(of(&[3.0, 4.0]), "");
        assert!(of(&[3.0, 5.0]).starts_with("the output of example 1 alone differs"));
        assert!(of(&[3.0]).starts_with("the output of example 1"));
    }

    #[test]
    fn the_scale_is_reduced() {
        let of = |large: &[f64]| violation(Property::ReducesScale, &[&[1.0], &[100.0]], &[&[&[2.0]], &[large]]);
        assert_eq!(of(&[3.0]), "");
        assert_eq!(of(&[200.0]), "the input grows by a factor of 100, the output by 100");
        assert!(of(&[f64::NAN]).contains("NaN"));
        assert!(
            violation(Property::ReducesScale, &[&[1.0], &[100.0]], &[&[&[0.0]], &[&[0.0]]])
                .contains("every number of the output is 0")
        );
    }
}
