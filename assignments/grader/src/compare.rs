//! Whether outputs agree with the expected ones, and if not, where they differ.

use crate::value::Value;

/// The smallest denominator of a relative difference.
const SMALLEST_DENOMINATOR: f64 = 1e-8;
/// The denominator for a number in an array is at least this fraction of the array's largest number, because rounding
/// errors near 0 have the size of those elsewhere in the array.
const FRACTION_OF_LARGEST: f64 = 1e-3;
/// How many numbers of an output are shown in full.
const SHOWN_NUMBERS: usize = 8;

/// Gives |x − y| / max(10⁻⁸, |x| + |y|): 0 for equal numbers and for two NaN; infinity if one of them alone is not
/// finite.
pub fn difference(expected: f64, actual: f64) -> f64 {
    relative_difference(SMALLEST_DENOMINATOR, expected, actual)
}

fn relative_difference(smallest_denominator: f64, expected: f64, actual: f64) -> f64 {
    if expected == actual || (expected.is_nan() && actual.is_nan()) {
        return 0.0;
    }
    let relative = (expected - actual).abs() / (expected.abs() + actual.abs()).max(smallest_denominator);
    if relative.is_finite() { relative } else { f64::INFINITY }
}

/// Whether all outputs agree.
pub fn agree(expected: &[Value], actual: &[Value], tolerance: f64) -> bool {
    expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(expected, actual)| value_mismatch(expected, actual, tolerance).is_none())
}

/// Describes the first output that differs: its expected and actual value, and the index; `None` if all agree.
pub fn mismatch(expected: &[Value], actual: &[Value], tolerance: f64) -> Option<String> {
    if expected.len() != actual.len() {
        return Some(format!("expected {} outputs, got {}", expected.len(), actual.len()));
    }
    let mut pairs = expected.iter().zip(actual).enumerate();
    pairs.find_map(|(index, (one, other))| {
        let found = value_mismatch(one, other, tolerance)?;
        Some(if expected.len() == 1 { found } else { format!("output {} of {}, {found}", index + 1, actual.len()) })
    })
}

fn value_mismatch(expected: &Value, actual: &Value, tolerance: f64) -> Option<String> {
    if expected.shape != actual.shape {
        return Some(format!("expected {}, got {}", describe(expected), describe(actual)));
    }
    let sizes = expected.values.iter().map(|value| value.abs()).filter(|size| size.is_finite());
    let denominator = sizes.fold(SMALLEST_DENOMINATOR, |denominator, size| denominator.max(FRACTION_OF_LARGEST * size));
    let differing: Vec<(usize, f64)> = expected
        .values
        .iter()
        .zip(&actual.values)
        .map(|(expected, actual)| relative_difference(denominator, *expected, *actual))
        .enumerate()
        .filter(|(_, difference)| *difference > tolerance)
        .collect();
    let (first, _) = *differing.first()?;
    let [here, there] = distinguishable(expected.values[first], actual.values[first]);
    if expected.shape.is_empty() {
        return Some(format!("expected {here}, got {there}"));
    }
    let largest = differing.iter().map(|(_, difference)| *difference).fold(0.0, f64::max);
    let largest = if largest.is_finite() { format!("{largest:.1e}") } else { "infinity".into() };
    let allowed = if tolerance == 0.0 { "none".to_owned() } else { format!("{tolerance:e}") };
    let count = format!(
        "{} of {} numbers {}, by up to {largest} (relative; allowed: {allowed})",
        differing.len(),
        expected.values.len(),
        if differing.len() == 1 { "differs" } else { "differ" },
    );
    let array = describe(expected);
    Some(if expected.values.len() <= SHOWN_NUMBERS {
        format!("{array}: expected {}, got {}; {count}", list(expected), list(actual))
    } else {
        format!("{array}: at {} expected {here}, got {there}; {count}", indices(&expected.shape, first))
    })
}

/// Names the shape of a value: `a vector of 3`.
pub fn describe(value: &Value) -> String {
    match value.shape.as_slice() {
        [] => "a number".into(),
        [count] => format!("a vector of {count}"),
        [rows, columns] => format!("a matrix of {rows} × {columns}"),
        shape => format!("a tensor of {}", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")),
    }
}

/// The indices of an entry in all dimensions, counted from 0.
fn indices(shape: &[usize], mut position: usize) -> String {
    let mut indices: Vec<String> = Vec::new();
    for size in shape.iter().rev() {
        indices.push((position % size).to_string());
        position /= size;
    }
    indices.reverse();
    format!("[{}]", indices.join(", "))
}

fn list(value: &Value) -> String {
    format!("[{}]", value.values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(", "))
}

/// Writes two numbers that differ, with all their digits if seven do not show the difference.
fn distinguishable(expected: f64, actual: f64) -> [String; 2] {
    let short = [expected, actual].map(number);
    if short[0] == short[1] { [expected, actual].map(|value| format!("{value:?}")) } else { short }
}

/// Writes a number with seven digits, without trailing zeros.
pub fn number(value: f64) -> String {
    if value == 0.0 || (1e-4..1e7).contains(&value.abs()) {
        let digits = (6 - value.abs().max(1.0).log10().floor() as i32).max(0) as usize;
        let text = format!("{value:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{value:.6e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(expected: Value, actual: Value) -> String {
        mismatch(&[expected], &[actual], 1e-9).unwrap_or_default()
    }

    #[test]
    fn nan_equals_only_an_expected_nan() {
        assert_eq!(difference(f64::NAN, f64::NAN), 0.0);
        assert_eq!(difference(f64::INFINITY, f64::INFINITY), 0.0);
        for (expected, actual) in [(1.0, f64::NAN), (f64::NAN, 1.0), (f64::INFINITY, 1.0), (1.0, f64::NEG_INFINITY)] {
            assert_eq!(difference(expected, actual), f64::INFINITY);
        }
    }

    #[test]
    fn differences_are_relative_to_at_least_the_smallest_denominator() {
        assert_eq!(difference(1.0, 3.0), 0.5);
        assert!((difference(0.0, 1e-12) - 1e-4).abs() < 1e-12);
    }

    #[test]
    fn a_small_number_in_an_array_of_large_ones_may_be_rounded() {
        let pair = |small: f64| Value::vector(vec![1.0, small]);
        assert_eq!(message(pair(1e-7), pair(1.000005e-7)), "");
        assert!(message(pair(1e-7), pair(1.1e-7)).contains("1 of 2 numbers differs"));
    }

    #[test]
    fn a_message_names_the_expected_and_the_actual_value_and_their_place() {
        assert_eq!(message(Value::scalar(1.5), Value::scalar(-2.0)), "expected 1.5, got -2");
        assert_eq!(message(Value::scalar(0.1), Value::scalar(0.10000001)), "expected 0.1, got 0.10000001");
        assert_eq!(
            message(Value::vector(vec![1.0, 2.0]), Value::vector(vec![1.0, 6.0])),
            "a vector of 2: expected [1, 2], got [1, 6]; \
             1 of 2 numbers differs, by up to 5.0e-1 (relative; allowed: 1e-9)"
        );
        let (zeros, mut other) = (Value::matrix(3, 4, vec![0.0; 12]), Value::matrix(3, 4, vec![0.0; 12]));
        other.values[6] = f64::NAN;
        assert_eq!(
            message(zeros, other),
            "a matrix of 3 × 4: at [1, 2] expected 0, got NaN; \
             1 of 12 numbers differs, by up to infinity (relative; allowed: 1e-9)"
        );
        assert_eq!(
            message(Value::vector(vec![1.0]), Value::matrix(1, 1, vec![1.0])),
            "expected a vector of 1, got a matrix of 1 × 1"
        );
        assert_eq!(message(Value::scalar(1e-30), Value::scalar(1e-31)), "");
    }
}
