//! A distribution over time: at each recorded step a ridge that is wide where the values are.

use super::chart::{frame, range};
use super::contour::grid_of;
use super::figure::Axis;
use super::style::{series as series_color, stroke};
use super::svg::{Area, drawing};
use crate::record::Record;
use anyhow::{Result, ensure};
use plotters::prelude::{PathElement, Polygon};
use plotters::style::Color;

pub fn draw(area: &Area, title: &str, (x, y): (&Axis, &Axis), arm: &str, name: &str, record: &Record) -> Result<()> {
    let grid = grid_of(record, arm, name)?;
    ensure!(!x.log && !y.log, "histograms have linear axes");
    let columns = grid.x.len();
    let pitch = if columns > 1 { (grid.x[columns - 1] - grid.x[0]) / (columns - 1) as f64 } else { 1.0 };
    let peak = grid.z.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let x_range = grid.x[0] - 0.1 * pitch..grid.x[columns - 1] + 1.1 * pitch;
    let mut chart = frame(area, title, &[], (x, x_range), (y, range(grid.y.iter().copied())))?;
    for (column, step) in grid.x.iter().enumerate() {
        let ridge = |(row, bin): (usize, &f64)| (step + 0.95 * pitch * grid.z[row * columns + column] / peak, *bin);
        let mut outline: Vec<(f64, f64)> = vec![(*step, grid.y[0])];
        outline.extend(grid.y.iter().enumerate().map(ridge));
        outline.push((*step, grid.y[grid.y.len() - 1]));
        let color = series_color(1);
        chart.draw_series([Polygon::new(outline.clone(), color.mix(0.5).filled())]).map_err(drawing)?;
        chart.draw_series([PathElement::new(outline, stroke(color, 1.0, 1.0))]).map_err(drawing)?;
    }
    Ok(())
}
