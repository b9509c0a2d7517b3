//! Curves: every seed faint, their median bold; the committed run's median dashed.

use super::chart::{Entry, frame, range};
use super::figure::{Axis, Line};
use super::style::{committed as committed_color, series as series_color, stroke};
use super::svg::{Area, drawing};
use super::ticks::place;
use crate::record::Record;
use crate::trial::{Series, median};
use anyhow::{Context, Result, ensure};
use plotters::prelude::PathElement;
use plotters::style::RGBColor;
use std::collections::BTreeMap;

type Points = Vec<(f64, f64)>;

/// What is drawn of one line: every seed's points and their median, placed on the axes.
struct Placed {
    seeds: Vec<Points>,
    median: Points,
    color: RGBColor,
    is_committed: bool,
}

pub fn draw(
    area: &Area,
    title: &str,
    (x, y): (&Axis, &Axis),
    lines: &[Line],
    record: &Record,
    committed: Option<&Record>,
) -> Result<()> {
    let mut drawn = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let color = series_color(index);
        if let Some(before) = committed.and_then(|committed| series_of(committed, line).ok()) {
            drawn.push(placed(&before, (x, y), committed_color(color), true));
        }
        drawn.push(placed(&series_of(record, line)?, (x, y), color, false));
    }
    let all = || drawn.iter().flat_map(|line| line.seeds.iter().chain([&line.median]).flatten());
    let mut legend: Vec<Entry> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        legend.push(Entry { label: line.label.clone(), color: series_color(index) });
    }
    if committed.is_some() {
        legend.push(Entry { label: "committed".into(), color: committed_color(series_color(0)) });
    }
    let x_range = (x, range(all().map(|point| point.0)));
    let mut chart = frame(area, title, &legend, x_range, (y, range(all().map(|point| point.1))))?;
    for line in &drawn {
        if line.seeds.len() > 1 && !line.is_committed {
            for seed in &line.seeds {
                let path = PathElement::new(seed.clone(), stroke(line.color, 0.25, 1.0));
                chart.draw_series([path]).map_err(drawing)?;
            }
        }
    }
    for line in &drawn {
        let path = PathElement::new(line.median.clone(), stroke(line.color, 1.0, 2.5));
        chart.draw_series([path]).map_err(drawing)?;
    }
    Ok(())
}

/// The series of every seed. Errors name the line that the record has no data for.
pub fn series_of<'a>(record: &'a Record, line: &Line) -> Result<Vec<&'a Series>> {
    let traces = record.trials.traces(&line.arm)?;
    let series = |trace: &'a crate::trial::Trace| {
        trace.series.get(&line.series).with_context(|| format!("arm {} has no series named {}", line.arm, line.series))
    };
    let found: Vec<&Series> = traces.into_iter().map(series).collect::<Result<_>>()?;
    ensure!(
        line.may_be_empty || found.iter().any(|series| !series.x.is_empty()),
        "arm {}: the series {} is empty",
        line.arm,
        line.series
    );
    Ok(found)
}

fn placed(seeds: &[&Series], (x, y): (&Axis, &Axis), color: RGBColor, is_committed: bool) -> Placed {
    let points = |series: &Series| -> Points {
        let pairs = series.x.iter().zip(&series.y);
        pairs.filter_map(|(a, b)| Some((place(x, *a)?, place(y, *b)?))).collect()
    };
    let median = points(&median_series(seeds));
    Placed { seeds: seeds.iter().map(|series| points(series)).collect(), median, color, is_committed }
}

/// The median over seeds at each x that at least half of the seeds have.
fn median_series(seeds: &[&Series]) -> Series {
    let mut values = BTreeMap::<i64, (f64, Vec<f64>)>::new();
    for series in seeds {
        for (x, y) in series.x.iter().zip(&series.y) {
            values.entry(in_order(*x)).or_insert((*x, Vec::new())).1.push(*y);
        }
    }
    let enough = values.into_values().filter(|(_, values)| 2 * values.len() >= seeds.len());
    let (x, y) = enough.filter_map(|(x, values)| Some((x, median(&values)?))).unzip();
    Series { x, y }
}

/// The bits of a number as a whole number that grows with it: those of negative ones count backwards.
fn in_order(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_goes_from_left_to_right() {
        let series = Series { x: vec![-2.0, -0.5, -0.0, 0.5], y: vec![1.0, 2.0, 3.0, 4.0] };
        assert_eq!(median_series(&[&series]), series);
        assert_eq!(in_order(-0.0), in_order(0.0));
    }

    #[test]
    fn the_median_ends_where_fewer_than_half_of_the_seeds_go_on() {
        let long = Series { x: vec![0.0, 1.0, 2.0], y: vec![3.0, 4.0, 5.0] };
        let short = Series { x: vec![0.0, 1.0], y: vec![1.0, 2.0] };
        let found = median_series(&[&long, &short, &short]);
        assert_eq!(found, Series { x: vec![0.0, 1.0], y: vec![1.0, 2.0] });
    }
}
