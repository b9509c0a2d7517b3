//! Horizontal bars with their values: the median over seeds, a mark for each seed, below them a stroke for the 95 % t
//! interval of their mean; the committed value dashed.

use super::chart::{range, title_lines};
use super::figure::{Axis, Bar};
use super::number::number;
use super::style::{FAINT, INK, TEXT, UNIT, committed as committed_color, series as series_color, stroke, text};
use super::svg::{Area, drawing};
use super::ticks::{label, place, ticks};
use crate::record::Record;
use crate::statistics::{Interval, t_interval};
use crate::trial::median;
use anyhow::{Context, Result, ensure};
use plotters::prelude::{Circle, PathElement, Rectangle, Text};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub fn draw(
    area: &Area,
    title: &str,
    axis: &Axis,
    bars: &[Bar],
    record: &Record,
    committed: Option<&Record>,
) -> Result<()> {
    let top = title_lines(area, title)? + 8 * UNIT;
    let samples: Vec<Vec<f64>> = bars.iter().map(|bar| samples_of(record, bar, axis)).collect::<Result<_>>()?;
    let labels = bars.iter().map(|bar| super::style::text_width(&bar.label)).max().unwrap_or(0);
    let (width, height) = area.dim_in_pixel();
    let (left, right) = (labels + 14 * UNIT, width as i32 - 74 * UNIT);
    let bottom = height as i32 - 2 * (TEXT + 8) * UNIT;
    let mut span = range(samples.iter().flatten().copied());
    span.start = if axis.log { span.start.floor() } else { span.start.min(0.0) };
    let along = |placed: f64| left + ((placed - span.start) / (span.end - span.start) * f64::from(right - left)) as i32;
    let paint = |shape: PathElement<(i32, i32)>| area.draw(&shape).map_err(drawing);
    let below = text(INK).pos(Pos::new(HPos::Center, VPos::Top));
    for placed in ticks(axis, &span) {
        paint(PathElement::new(vec![(along(placed), top), (along(placed), bottom)], stroke(FAINT, 1.0, 1.0)))?;
        let position = (along(placed), bottom + 4 * UNIT);
        area.draw(&Text::new(label(axis, placed), position, below.clone())).map_err(drawing)?;
    }
    let middle = ((left + right) / 2, bottom + (TEXT + 10) * UNIT);
    area.draw(&Text::new(axis.label.clone(), middle, below)).map_err(drawing)?;
    let pitch = (bottom - top) / bars.len().max(1) as i32;
    for (index, (bar, samples)) in bars.iter().zip(&samples).enumerate() {
        let center = top + pitch * index as i32 + pitch / 2;
        let (high, low) = (center - pitch * 3 / 10, center + pitch * 3 / 10);
        let value = median(samples).context("a bar without value")?;
        let color = series_color(1);
        let base = if axis.log { left } else { along(0.0) };
        area.draw(&Rectangle::new([(base, high), (along(value), low)], color.mix(0.85).filled())).map_err(drawing)?;
        // What stands furthest to the right: the number goes behind it.
        let mut furthest = if axis.log { value } else { value.max(0.0) };
        if samples.len() > 1 {
            for sample in samples {
                furthest = furthest.max(*sample);
                area.draw(&Circle::new((along(*sample), center), 2 * UNIT, INK.filled())).map_err(drawing)?;
            }
            if let Some(Interval { low, high, .. }) = t_interval(samples, 0.95) {
                furthest = furthest.max(high);
                let below = center + pitch / 6;
                paint(PathElement::new(vec![(along(low), below), (along(high), below)], stroke(INK, 1.0, 2.0)))?;
            }
        }
        if let Some(before) = committed.and_then(|committed| median(&samples_of(committed, bar, axis).ok()?)) {
            let dashed = stroke(committed_color(series_color(0)), 1.0, 3.0);
            paint(PathElement::new(vec![(along(before), high), (along(before), low)], dashed))?;
        }
        let label = text(INK).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(bar.label.clone(), (left - 5 * UNIT, center), label)).map_err(drawing)?;
        let shown = number(if axis.log { libm::pow(10.0, value) } else { value });
        let end = text(INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(shown, (along(furthest.min(span.end)) + 5 * UNIT, center), end)).map_err(drawing)?;
    }
    Ok(())
}

/// The value of every seed, placed on the axis.
fn samples_of(record: &Record, bar: &Bar, axis: &Axis) -> Result<Vec<f64>> {
    let mut samples = Vec::new();
    for trace in record.trials.traces(&bar.arm)? {
        let value = trace.values.get(&bar.value);
        let value = value.with_context(|| format!("arm {} has no value named {}", bar.arm, bar.value))?;
        let placed = place(axis, *value);
        ensure!(placed.is_some(), "arm {}: {} is {value}, which a logarithmic axis cannot show", bar.arm, bar.value);
        samples.extend(placed);
    }
    Ok(samples)
}
