//! Whether outputs are what is expected, and if not, where they differ.

use crate::value::Value;

/// The smallest denominator of a relative difference.
const FLOOR: f64 = 1e-8;
/// Of numbers beside larger ones it is this part of the largest: what is next to 0 has as much rounding as the rest.
const BESIDE_LARGER: f64 = 1e-3;
/// How many numbers of an output are shown in full.
const SHOWN: usize = 8;

/// |x − y| / max(10⁻⁸, |x| + |y|): 0 for equal numbers, NaN as expected among them; otherwise NaN is as far off as can be.
pub fn difference(expected: f64, came: f64) -> f64 {
    above(FLOOR, expected, came)
}

fn above(floor: f64, expected: f64, came: f64) -> f64 {
    if expected == came || (expected.is_nan() && came.is_nan()) {
        return 0.0;
    }
    let relative = (expected - came).abs() / (expected.abs() + came.abs()).max(floor);
    if relative.is_finite() { relative } else { f64::INFINITY }
}

/// Whether all outputs agree.
pub fn agree(expected: &[Value], came: &[Value], tolerance: f64) -> bool {
    expected.len() == came.len() && expected.iter().zip(came).all(|(a, b)| first_difference(a, b, tolerance).is_none())
}

/// What was expected, what came, at which index; none if they agree.
pub fn mismatch(expected: &[Value], came: &[Value], tolerance: f64) -> Option<String> {
    if expected.len() != came.len() {
        return Some(format!("{} outputs were expected, {} came", expected.len(), came.len()));
    }
    let mut pairs = expected.iter().zip(came).enumerate();
    pairs.find_map(|(index, (expected_one, came_one))| {
        let words = first_difference(expected_one, came_one, tolerance)?;
        Some(if expected.len() == 1 { words } else { format!("output {} of {}, {words}", index + 1, came.len()) })
    })
}

fn first_difference(expected: &Value, came: &Value, tolerance: f64) -> Option<String> {
    if expected.shape != came.shape {
        return Some(format!("{} was expected, {} came", form(expected), form(came)));
    }
    let pairs = || expected.values.iter().zip(&came.values);
    let finite = expected.values.iter().map(|value| value.abs()).filter(|size| size.is_finite());
    let floor = finite.fold(FLOOR, |floor, size| floor.max(BESIDE_LARGER * size));
    let off: Vec<(usize, f64)> = pairs()
        .map(|(expected, came)| above(floor, *expected, *came))
        .enumerate()
        .filter(|(_, difference)| *difference > tolerance)
        .collect();
    let (first, _) = off.first()?;
    let largest = off.iter().map(|(_, difference)| *difference).fold(0.0, f64::max);
    let of = form(expected);
    if expected.shape.is_empty() {
        let [here, there] = both(expected.values[0], came.values[0]);
        return Some(format!("expected {here}, came {there}"));
    }
    let allowed = if tolerance == 0.0 { "none".to_owned() } else { format!("{tolerance:e}") };
    let differ = if off.len() == 1 { "differs" } else { "differ" };
    let count = format!(
        "{} of {} numbers {differ}, by up to {} (relative; allowed: {allowed})",
        off.len(),
        expected.values.len(),
        relative(largest)
    );
    if expected.values.len() <= SHOWN {
        return Some(format!("{of}: expected {}, came {}; {count}", list(expected), list(came)));
    }
    let [here, there] = both(expected.values[*first], came.values[*first]);
    Some(format!("{of}: at {} expected {here}, came {there}; {count}", place(&expected.shape, *first)))
}

pub fn form(value: &Value) -> String {
    match value.shape.as_slice() {
        [] => "a number".into(),
        [count] => format!("a vector of {count}"),
        shape => format!("a table of {}", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")),
    }
}

/// The index of an entry in all dimensions, counted from 0.
fn place(shape: &[usize], mut index: usize) -> String {
    let mut indices: Vec<String> = Vec::new();
    for size in shape.iter().rev() {
        indices.push((index % size).to_string());
        index /= size;
    }
    indices.reverse();
    format!("[{}]", indices.join(", "))
}

fn list(value: &Value) -> String {
    format!("[{}]", value.values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(", "))
}

/// Two numbers that differ, with all their digits if seven do not show it.
fn both(expected: f64, came: f64) -> [String; 2] {
    let short = [expected, came].map(number);
    if short[0] == short[1] { [expected, came].map(|value| format!("{value:?}")) } else { short }
}

/// Seven digits, and as few as say the same.
pub fn number(value: f64) -> String {
    if value == 0.0 || (1e-4..1e7).contains(&value.abs()) {
        let digits = (6 - value.abs().max(1.0).log10().floor() as i32).max(0) as usize;
        let text = format!("{value:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{value:.6e}")
    }
}

fn relative(difference: f64) -> String {
    if difference.is_finite() { format!("{difference:.1e}") } else { "infinity".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(expected: Value, came: Value) -> String {
        mismatch(&[expected], &[came], 1e-9).unwrap_or_default()
    }

    #[test]
    fn nan_equals_only_an_expected_nan() {
        assert_eq!(difference(f64::NAN, f64::NAN), 0.0);
        assert_eq!(difference(f64::INFINITY, f64::INFINITY), 0.0);
        for (expected, came) in [(1.0, f64::NAN), (f64::NAN, 1.0), (f64::INFINITY, 1.0), (1.0, f64::NEG_INFINITY)] {
            assert_eq!(difference(expected, came), f64::INFINITY);
        }
    }

    #[test]
    fn differences_are_relative_above_a_floor() {
        assert_eq!(difference(1.0, 3.0), 0.5);
        assert!((difference(0.0, 1e-12) - 1e-4).abs() < 1e-12);
    }

    #[test]
    fn what_is_next_to_nothing_beside_large_numbers_may_be_rounded() {
        let pair = |small: f64| Value::vector(vec![1.0, small]);
        assert_eq!(said(pair(1e-7), pair(1.000005e-7)), "");
        assert!(said(pair(1e-7), pair(1.1e-7)).contains("1 of 2 numbers differs"));
    }

    #[test]
    fn a_message_names_what_was_expected_what_came_and_where() {
        assert_eq!(said(Value::scalar(1.5), Value::scalar(-2.0)), "expected 1.5, came -2");
        assert_eq!(said(Value::scalar(0.1), Value::scalar(0.10000001)), "expected 0.1, came 0.10000001");
        assert_eq!(
            said(Value::vector(vec![1.0, 2.0]), Value::vector(vec![1.0, 6.0])),
            "a vector of 2: expected [1, 2], came [1, 6]; 1 of 2 numbers differs, by up to 5.0e-1 (relative; allowed: 1e-9)"
        );
        let (zeros, mut other) = (Value::matrix(3, 4, vec![0.0; 12]), Value::matrix(3, 4, vec![0.0; 12]));
        other.values[6] = f64::NAN;
        assert_eq!(
            said(zeros, other),
            "a table of 3 × 4: at [1, 2] expected 0, came NaN; 1 of 12 numbers differs, by up to infinity (relative; allowed: 1e-9)"
        );
        assert_eq!(
            said(Value::vector(vec![1.0]), Value::matrix(1, 1, vec![1.0])),
            "a vector of 1 was expected, a table of 1 × 1 came"
        );
        assert_eq!(said(Value::scalar(1e-30), Value::scalar(1e-31)), "");
    }
}
