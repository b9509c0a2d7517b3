//! Where the ticks of an axis stand, and their labels.

use super::figure::Axis;
use super::number::{chosen, superscript};
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use std::ops::Range;

/// Fewest ticks that tell a reader what an axis shows.
const FEWEST: usize = 3;

/// Where `value` lies on `axis`; none where a logarithmic axis has no place for it.
pub fn place(axis: &Axis, value: f64) -> Option<f64> {
    if axis.log { (value > 0.0).then(|| libm::log10(value)) } else { Some(value) }
}

/// The placed values of an axis with its ticks, as plotters wants them.
pub struct Ticked {
    values: RangedCoordf64,
    ticks: Vec<f64>,
}

impl Ticked {
    /// For the placed values in `range`.
    pub fn new(axis: &Axis, range: Range<f64>) -> Self {
        Self { ticks: ticks(axis, &range), values: range.into() }
    }
}

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.values.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // The faint lines between ticks are not drawn.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.values.range()
    }
}

/// About six round places in `range`. On a logarithmic axis whole powers of ten; where these are too few, 1, 2 and 5
/// times them, or round values.
pub fn ticks(axis: &Axis, range: &Range<f64>) -> Vec<f64> {
    if !axis.log {
        return multiples(range, round_step(range));
    }
    // A step of five decades may leave one or two powers, where one of two leaves enough.
    let largest = round_step(range).max(1.0);
    let steps = [100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0].into_iter().filter(|step| *step <= largest);
    if let Some(powers) = steps.map(|step| multiples(range, step)).find(|powers| powers.len() >= FEWEST) {
        return powers;
    }
    let in_between = multiples(&(range.start - 1.0..range.end), 1.0)
        .into_iter()
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| power + libm::log10(digit)))
        .filter(|place| range.contains(place))
        .collect::<Vec<_>>();
    if in_between.len() >= FEWEST {
        return in_between;
    }
    let values = libm::pow(10.0, range.start)..libm::pow(10.0, range.end);
    multiples(&values, round_step(&values)).into_iter().map(libm::log10).collect()
}

/// Parts of a step by which a sum of binary fractions may miss.
const CRUMB: f64 = 1e-9;

/// 1, 2 or 5 times a power of ten, at most five of which fit into `range`.
fn round_step(range: &Range<f64>) -> f64 {
    let rough = (range.end - range.start) / 5.0 * (1.0 - CRUMB);
    let power = libm::pow(10.0, libm::log10(rough).floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= rough).unwrap_or(10.0 * power)
}

/// The multiples of `step` in `range`.
fn multiples(range: &Range<f64>, step: f64) -> Vec<f64> {
    let (first, last) = (range.start / step - CRUMB, range.end / step + CRUMB);
    (first.ceil() as i64..=last.floor() as i64).map(|index| index as f64 * step).collect()
}

/// The label of a tick: 10ⁿ on a logarithmic axis.
pub fn label(axis: &Axis, placed: f64) -> String {
    if !axis.log {
        // Sums of binary fractions leave crumbs: 0.30000000000000004.
        let rounded = (placed * 1e9).round() / 1e9;
        return format!("{}", if rounded == 0.0 { 0.0 } else { rounded }).replace('-', "−");
    }
    let power = placed.round();
    if (placed - power).abs() > 1e-9 {
        return chosen(libm::pow(10.0, placed));
    }
    match power as i32 {
        -2 => "0.01".into(),
        -1 => "0.1".into(),
        0 => "1".into(),
        1 => "10".into(),
        2 => "100".into(),
        3 => "1000".into(),
        power => format!("10{}", superscript(&power.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINEAR: Axis = Axis { label: String::new(), log: false };
    const LOG: Axis = Axis { label: String::new(), log: true };

    fn labels(axis: &Axis, range: Range<f64>) -> Vec<String> {
        ticks(axis, &range).into_iter().map(|placed| label(axis, placed)).collect()
    }

    /// Labels of the ticks between two values of a logarithmic axis.
    fn between(low: f64, high: f64) -> Vec<String> {
        labels(&LOG, libm::log10(low)..libm::log10(high))
    }

    #[test]
    fn ticks_are_round_and_legible() {
        assert_eq!(labels(&LINEAR, -0.04..1.04), ["0", "0.5", "1"]);
        assert_eq!(labels(&LINEAR, -0.35..0.2), ["−0.2", "0", "0.2"]);
        assert_eq!(between(0.5, 2e4), ["1", "10", "100", "1000", "10⁴"]);
        assert_eq!(between(1e-9, 1e9), ["10⁻⁵", "1", "10⁵"]);
        assert_eq!(between(2e-3, 1.5e9), ["0.01", "1", "100", "10⁴", "10⁶", "10⁸"]);
    }

    #[test]
    fn less_than_two_decades_have_true_labels() {
        assert_eq!(between(0.9, 60.0), ["1", "2", "5", "10", "20", "50"]);
        assert_eq!(between(120.0, 210.0), ["120", "140", "160", "180", "200"]);
        assert_eq!(between(1.5e-7, 9e-7), ["2·10⁻⁷", "4·10⁻⁷", "6·10⁻⁷", "8·10⁻⁷"]);
    }

    #[test]
    fn what_a_label_says_is_where_its_tick_stands() {
        for (low, high) in [(1.0, 1.7), (0.03, 0.2), (157.0, 199.0), (2e6, 3e6), (3e-4, 3e-3)] {
            let range = libm::log10(low)..libm::log10(high);
            let places = ticks(&LOG, &range);
            assert!((FEWEST..=8).contains(&places.len()), "{low} to {high}: {places:?}");
            for placed in places {
                let (said, digits) = (label(&LOG, placed), libm::pow(10.0, placed));
                if let Ok(value) = said.parse::<f64>() {
                    assert!((value / digits - 1.0).abs() < 1e-9, "{said} at {digits}");
                }
            }
        }
    }
}
