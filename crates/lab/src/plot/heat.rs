//! A matrix as coloured cells with their values.

use super::chart::frame;
use super::contour::grid_of;
use super::figure::Axis;
use super::number::number;
use super::style::{INK, series as series_color, text};
use super::svg::{Area, drawing};
use crate::record::Record;
use anyhow::{Result, ensure};
use plotters::prelude::{EmptyElement, Rectangle, Text};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The coordinates of the grid are whole numbers; cells stand around them.
pub fn draw(area: &Area, title: &str, (x, y): (&Axis, &Axis), arm: &str, name: &str, record: &Record) -> Result<()> {
    let grid = grid_of(record, arm, name)?;
    ensure!(!x.log && !y.log, "heat maps have linear axes");
    let span = |values: &[f64]| values[0] - 0.5..values[values.len() - 1] + 0.5;
    let mut chart = frame(area, title, &[], (x, span(&grid.x)), (y, span(&grid.y)))?;
    let largest = grid.z.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let centered = text(INK).pos(Pos::new(HPos::Center, VPos::Center));
    let cells = grid.y.iter().flat_map(|row| grid.x.iter().map(move |column| (*column, *row)));
    for ((column, row), value) in cells.zip(&grid.z) {
        let corners = [(column - 0.48, row - 0.48), (column + 0.48, row + 0.48)];
        let color = series_color(1).mix(0.85 * value / largest);
        chart.draw_series([Rectangle::new(corners, color.filled())]).map_err(drawing)?;
        let shown = number((value * 100.0).round() / 100.0);
        let label = EmptyElement::at((column, row)) + Text::new(shown, (0, 0), centered.clone());
        chart.draw_series([label]).map_err(drawing)?;
    }
    Ok(())
}
