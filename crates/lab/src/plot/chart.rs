//! The frame around every plot: title, legend above the data, axes with units.
//!
//! Logarithmic axes are linear ones over log₁₀ of the data, so that all charts share one type.

use super::figure::Axis;
use super::style::{FAINT, INK, TEXT, UNIT, WIDTH, stroke, text, text_width, upward_text};
use super::svg::{Area, drawing};
use super::ticks::{Ticked, label};
use anyhow::Result;
use plotters::prelude::{Cartesian2d, ChartBuilder, ChartContext, PathElement, SVGBackend, Text};
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Ticked, Ticked>>;

/// Height of a line of text, in units.
const LINE: i32 = (TEXT + 4) * UNIT;
const MARGIN: i32 = 8 * UNIT;
/// Length of the stroke in front of a legend's entry.
const SAMPLE: i32 = 22 * UNIT;

/// An entry of the legend.
pub struct Entry {
    pub label: String,
    pub color: RGBColor,
}

/// The range of placed values with a little room; one around 0 for no values.
pub fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return -1.0..1.0;
    }
    let room = if high > low { 0.04 * (high - low) } else { 0.5 };
    low - room..high + room
}

/// Draws everything but the data. `left` is the room for the labels of the y axis, in nominal pixels.
pub fn frame<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    legend: &[Entry],
    (x, x_range): (&Axis, Range<f64>),
    (y, y_range): (&Axis, Range<f64>),
) -> Result<Chart<'a, 'b>> {
    let top = legend_below(area, legend, title_lines(area, title)?)?;
    let left = 80 * UNIT;
    let mut chart = ChartBuilder::on(area)
        .margin_top(top + 6 * UNIT)
        .margin_right(4 * MARGIN)
        .margin_left(LINE)
        .margin_bottom(LINE + MARGIN)
        .set_label_area_size(plotters::prelude::LabelAreaPosition::Left, left - LINE)
        .set_label_area_size(plotters::prelude::LabelAreaPosition::Bottom, LINE + MARGIN)
        .build_cartesian_2d(Ticked::new(x, x_range), Ticked::new(y, y_range))
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .axis_style(stroke(INK, 0.6, 1.0))
        .set_all_tick_mark_size(4 * UNIT)
        .light_line_style(stroke(FAINT, 0.0, 0.0))
        .bold_line_style(stroke(FAINT, 1.0, 1.0))
        .label_style(text(INK))
        .x_label_formatter(&|value| label(x, *value))
        .y_label_formatter(&|value| label(y, *value))
        .draw()
        .map_err(drawing)?;
    let (_, height) = area.dim_in_pixel();
    let (x_pixels, y_pixels) = chart.plotting_area().get_pixel_range();
    let bottom = text(INK).pos(Pos::new(HPos::Center, VPos::Bottom));
    let middle = (x_pixels.start + x_pixels.end) / 2;
    area.draw(&Text::new(x.label.clone(), (middle, height as i32 - MARGIN), bottom)).map_err(drawing)?;
    let side = upward_text().pos(Pos::new(HPos::Center, VPos::Top));
    let middle = (y_pixels.start + y_pixels.end) / 2;
    area.draw(&Text::new(y.label.clone(), (MARGIN / 2, middle), side)).map_err(drawing)?;
    Ok(chart)
}

/// The title, broken into lines that fit.
pub fn lines_of(title: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in title.split_whitespace() {
        let line = lines.last_mut().expect("never empty");
        if !line.is_empty() && text_width(line) + text_width(word) > (WIDTH * UNIT) - 3 * MARGIN {
            lines.push(word.to_owned());
        } else {
            *line = format!("{line} {word}").trim_start().to_owned();
        }
    }
    lines
}

/// Writes the title and returns the height it took.
pub fn title_lines(area: &Area, title: &str) -> Result<i32> {
    let lines = lines_of(title);
    let style = text(INK).pos(Pos::new(HPos::Left, VPos::Top));
    for (row, line) in lines.iter().enumerate() {
        let position = (MARGIN, MARGIN + row as i32 * LINE);
        area.draw(&Text::new(line.clone(), position, style.clone())).map_err(drawing)?;
    }
    Ok(MARGIN + lines.len() as i32 * LINE)
}

/// Writes the legend below `top`, as many entries a row as fit, and returns the height above the plot.
fn legend_below(area: &Area, legend: &[Entry], top: i32) -> Result<i32> {
    let (mut left, mut row) = (MARGIN, 0);
    for entry in legend {
        let width = SAMPLE + text_width(&entry.label) + 4 * MARGIN;
        if left > MARGIN && left + width > WIDTH * UNIT {
            (left, row) = (MARGIN, row + 1);
        }
        let middle = top + row * LINE + LINE / 2;
        let sample = vec![(left, middle), (left + SAMPLE, middle)];
        area.draw(&PathElement::new(sample, stroke(entry.color, 1.0, 3.0))).map_err(drawing)?;
        let style = text(INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(entry.label.clone(), (left + SAMPLE + MARGIN, middle), style)).map_err(drawing)?;
        left += width;
    }
    Ok(top + if legend.is_empty() { 0 } else { (row + 1) * LINE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_values() {
        assert_eq!(range(std::iter::empty()), -1.0..1.0);
        assert_eq!(range([2.0].into_iter()), 1.5..2.5);
        assert_eq!(range([0.0, 1.0].into_iter()), -0.04..1.04);
    }
}
