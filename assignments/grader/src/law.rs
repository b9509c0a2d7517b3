//! What must hold of the answers where there is no one right answer: the tests of an open assignment.

use crate::call::ExpectedCall;
use crate::compare::{difference, form, number};
use crate::table::Table;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// Of a call's arguments only the last one matters here: what a norm is given, or how far its parameters have moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// Each call gives one output: finite, in the shape of the argument.
    Shape,
    /// The first call gives the gradient of a loss by the argument. The others give that loss, in pairs that differ in the
    /// argument alone: it changes as the gradient says.
    Slope,
    /// All outputs of a call are the same, bit for bit.
    Still,
    /// The first call gives rows; each of the others gives one of them, in their order.
    Alone,
    /// From the first call to the second the output grows by less than a tenth of what the argument grows by.
    Tamed,
    /// Each call gives a row of chapter 16's table, and in the first the MLP has learned something.
    Table,
}

/// Largest relative difference between a gradient and central differences, or between rows.
const CLOSE: f64 = 1e-5;

impl Law {
    /// In which way the answers break it; none if they do not.
    pub fn broken(self, calls: &[ExpectedCall], answers: &[&[Value]]) -> Option<String> {
        match self {
            Self::Shape => calls.iter().zip(answers).find_map(|(call, answer)| out_of_shape(argument(call), answer)),
            Self::Slope => slope(calls, answers),
            Self::Still => answers.iter().find_map(|answer| moved(answer)),
            Self::Alone => alone(answers),
            Self::Tamed => tamed(calls, answers),
            Self::Table => match Table::read(calls, answers) {
                Ok(table) => table.has_not_learned(),
                Err(why) => Some(why),
            },
        }
    }
}

fn argument(call: &ExpectedCall) -> &Value {
    const NONE: &Value = &Value { shape: Vec::new(), values: Vec::new() };
    call.arguments.last().unwrap_or(NONE)
}

fn out_of_shape(argument: &Value, answer: &[Value]) -> Option<String> {
    let [output] = answer else { return Some(format!("{} outputs came, one was asked for", answer.len())) };
    if output.shape != argument.shape {
        return Some(format!("{} went in, {} came out", form(argument), form(output)));
    }
    let wild = output.values.iter().find(|value| !value.is_finite())?;
    Some(format!("of {} that went in, {wild} came out", form(argument)))
}

fn slope(calls: &[ExpectedCall], answers: &[&[Value]]) -> Option<String> {
    let ((first, calls), (slope, losses)) = (calls.split_first()?, answers.split_first()?);
    if let Some(why) = out_of_shape(argument(first), slope) {
        return Some(format!("the gradient: {why}"));
    }
    // By its parameters, which it need not have, a norm may well have none.
    if !argument(first).shape.is_empty() && slope[0].values.iter().all(|slope| *slope == 0.0) {
        return Some("the gradient is nothing but zeros: the output does not depend on the input".to_owned());
    }
    calls.chunks(2).zip(losses.chunks(2)).find_map(|(calls, losses)| {
        let ([there, back], [[high], [low]]) = (calls, losses) else {
            return Some("the losses do not come one by one".to_owned());
        };
        let (Some(high), Some(low)) = (high.values.first(), low.values.first()) else {
            return Some("a loss is a number".to_owned());
        };
        let steps = argument(there).values.iter().zip(&argument(back).values).map(|(there, back)| there - back);
        let said: f64 = steps.zip(&slope[0].values).map(|(step, slope)| step * slope).sum();
        let came = high - low;
        (difference(said, came) > CLOSE).then(|| {
            let (said, came) = (number(said), number(came));
            format!("the gradient says that the loss changes by {said} along a short line; it changes by {came}")
        })
    })
}

/// Where all numbers of an output of several are the same, it says nothing of the input.
fn uniform(output: &Value) -> Option<String> {
    let (first, others) = output.values.split_first()?;
    let same = !others.is_empty() && others.iter().all(|value| value == first);
    same.then(|| format!("all numbers of an output are {}, whatever went in", number(*first)))
}

fn moved(answer: &[Value]) -> Option<String> {
    let bits = |value: &Value| value.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let [first, others @ ..] = answer else { return Some("no output came".to_owned()) };
    if let Some(why) = uniform(first) {
        return Some(why);
    }
    let other = others.iter().find(|other| other.shape != first.shape || bits(other) != bits(first))?;
    let pair = first.values.iter().zip(&other.values).find(|(one, other)| one.to_bits() != other.to_bits());
    Some(match pair {
        Some((one, other)) => format!("the same question gives {} and then {}", number(*one), number(*other)),
        None => format!("the same question gives {} and then {}", form(first), form(other)),
    })
}

fn alone(answers: &[&[Value]]) -> Option<String> {
    let (together, others) = answers.split_first()?;
    let ([together], false) = (*together, others.is_empty()) else { return Some("no rows came".to_owned()) };
    if let Some(why) = uniform(together) {
        return Some(why);
    }
    let width = together.values.len() / others.len();
    others.iter().zip(together.values.chunks(width.max(1))).enumerate().find_map(|(index, (other, row))| {
        let same = other.len() == 1 && other[0].values.len() == row.len();
        let apart = other.iter().flat_map(|other| &other.values).zip(row).map(|(a, b)| difference(*a, *b));
        let largest = apart.fold(0.0, f64::max);
        (!same || largest > CLOSE).then(|| {
            format!("example {index} comes out otherwise alone than among others, by {largest:.1e} (relative)")
        })
    })
}

fn tamed(calls: &[ExpectedCall], answers: &[&[Value]]) -> Option<String> {
    let ([small, large], [[of_small], [of_large]]) = (calls, answers) else {
        return Some("two outputs were asked for".to_owned());
    };
    if let Some(why) = uniform(of_small).or_else(|| uniform(of_large)) {
        return Some(why);
    }
    let size = |value: &Value| value.values.iter().map(|value| value * value).sum::<f64>().sqrt();
    if size(of_small) == 0.0 {
        return Some("nothing but zeros came out".to_owned());
    }
    let (given, grown) = (size(argument(large)) / size(argument(small)), size(of_large) / size(of_small));
    (grown.is_nan() || grown > given / 10.0)
        .then(|| format!("of an input {} times as large the output is {} times as large", number(given), number(grown)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(argument: &[f64]) -> ExpectedCall {
        let arguments = vec![Value::vector(argument.to_vec())];
        ExpectedCall { function: "f".into(), arguments, expected: Vec::new(), mistakes: Vec::new() }
    }

    /// What a law says of calls with these arguments and outputs.
    fn says(law: Law, arguments: &[&[f64]], outputs: &[&[&[f64]]]) -> String {
        let calls: Vec<ExpectedCall> = arguments.iter().map(|argument| call(argument)).collect();
        let answers: Vec<Vec<Value>> =
            outputs.iter().map(|output| output.iter().map(|values| Value::vector(values.to_vec())).collect()).collect();
        let answers: Vec<&[Value]> = answers.iter().map(Vec::as_slice).collect();
        law.broken(&calls, &answers).unwrap_or_default()
    }

    #[test]
    fn an_output_has_the_shape_of_the_input_and_is_finite() {
        let of = |output: &[&[f64]]| says(Law::Shape, &[&[1.0, 2.0]], &[output]);
        assert_eq!(of(&[&[5.0, 0.0]]), "");
        assert_eq!(of(&[&[5.0]]), "a vector of 2 went in, a vector of 1 came out");
        assert_eq!(of(&[&[5.0, f64::NAN]]), "of a vector of 2 that went in, NaN came out");
        assert_eq!(of(&[]), "0 outputs came, one was asked for");
    }

    /// L = x₀² + 3 x₁ at (1, 2), along (0.01, 0.01).
    #[test]
    fn a_loss_changes_as_its_gradient_says() {
        let arguments: [&[f64]; 3] = [&[1.0, 2.0], &[1.01, 2.01], &[0.99, 1.99]];
        let (high, low) = (1.01 * 1.01 + 6.03, 0.99 * 0.99 + 5.97);
        let of = |slope: &[f64]| says(Law::Slope, &arguments, &[&[slope], &[&[high]], &[&[low]]]);
        assert_eq!(of(&[2.0, 3.0]), "");
        assert!(of(&[2.0, 2.9]).starts_with("the gradient says that the loss changes by 0.098 along"));
        assert!(of(&[2.0]).starts_with("the gradient: a vector of 2 went in"));
        assert!(of(&[f64::NAN, 3.0]).contains("NaN"));
        let constant = says(Law::Slope, &arguments, &[&[&[0.0, 0.0]], &[&[1.0]], &[&[1.0]]]);
        assert!(constant.contains("nothing but zeros"), "{constant}");
        assert_ne!(says(Law::Slope, &arguments, &[&[&[2.0, 3.0]], &[&[high]], &[&[]]]), "");
    }

    #[test]
    fn the_same_question_has_the_same_answer() {
        assert_eq!(says(Law::Still, &[&[]], &[&[&[1.0], &[1.0]]]), "");
        assert_eq!(says(Law::Still, &[&[]], &[&[&[1.0], &[1.5]]]), "the same question gives 1 and then 1.5");
        assert_ne!(says(Law::Still, &[&[]], &[&[]]), "");
        let constant = says(Law::Still, &[&[]], &[&[&[1.0, 1.0], &[1.0, 1.0]]]);
        assert_eq!(constant, "all numbers of an output are 1, whatever went in");
    }

    #[test]
    fn an_example_alone_is_what_it_is_among_others() {
        let of =
            |last: &[f64]| says(Law::Alone, &[&[], &[], &[]], &[&[&[1.0, 2.0, 3.0, 4.0]], &[&[1.0, 2.0]], &[last]]);
        assert_eq!(of(&[3.0, 4.0]), "");
        assert!(of(&[3.0, 5.0]).starts_with("example 1 comes out otherwise"));
        assert!(of(&[3.0]).starts_with("example 1"));
    }

    #[test]
    fn a_norm_makes_large_things_smaller() {
        let of = |large: &[f64]| says(Law::Tamed, &[&[1.0], &[100.0]], &[&[&[2.0]], &[large]]);
        assert_eq!(of(&[3.0]), "");
        assert_eq!(of(&[200.0]), "of an input 100 times as large the output is 100 times as large");
        assert!(of(&[f64::NAN]).contains("NaN"));
        assert!(says(Law::Tamed, &[&[1.0], &[100.0]], &[&[&[0.0]], &[&[0.0]]]).contains("nothing but zeros"));
    }
}
