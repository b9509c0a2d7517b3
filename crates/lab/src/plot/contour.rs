//! Level lines of a loss with the paths that optimizers take over it.

use super::chart::{Entry, frame};
use super::curves::series_of;
use super::figure::{Axis, Line};
use super::style::{INK, UNIT, committed as committed_color, series as series_color, stroke};
use super::svg::{Area, drawing};
use crate::record::Record;
use crate::trial::Grid;
use anyhow::{Context, Result, ensure};
use contour::ContourBuilder;
use plotters::prelude::{Circle, PathElement};
use plotters::style::Color;

pub struct Contour<'a> {
    pub axes: (&'a Axis, &'a Axis),
    pub arm: &'a str,
    pub grid: &'a str,
    pub levels: &'a [f64],
    pub paths: &'a [Line],
}

pub fn draw(area: &Area, title: &str, figure: &Contour, record: &Record, committed: Option<&Record>) -> Result<()> {
    let grid = grid_of(record, figure.arm, figure.grid)?;
    let (x, y) = figure.axes;
    ensure!(!x.log && !y.log, "contours have linear axes");
    let ends = |values: &[f64]| values[0]..values[values.len() - 1];
    let mut legend: Vec<Entry> = Vec::new();
    for (index, path) in figure.paths.iter().enumerate() {
        legend.push(Entry { label: path.label.clone(), color: series_color(index) });
    }
    if committed.is_some() {
        legend.push(Entry { label: "committed".into(), color: committed_color(series_color(0)) });
    }
    let mut chart = frame(area, title, &legend, (x, ends(&grid.x)), (y, ends(&grid.y)))?;
    for line in level_lines(grid, figure.levels)? {
        chart.draw_series([PathElement::new(line, stroke(INK, 0.45, 1.0))]).map_err(drawing)?;
    }
    let inside = |(a, b): &(f64, f64)| ends(&grid.x).contains(a) && ends(&grid.y).contains(b);
    for (index, path) in figure.paths.iter().enumerate() {
        let color = series_color(index);
        let points = |record: &Record| -> Result<Vec<(f64, f64)>> {
            let series = series_of(record, path)?[0];
            Ok(series.x.iter().copied().zip(series.y.iter().copied()).take_while(inside).collect())
        };
        if let Some(before) = committed.and_then(|committed| points(committed).ok()) {
            let line = PathElement::new(before, stroke(committed_color(color), 1.0, 1.5));
            chart.draw_series([line]).map_err(drawing)?;
        }
        let points = points(record)?;
        chart.draw_series([PathElement::new(points.clone(), stroke(color, 1.0, 1.5))]).map_err(drawing)?;
        let dot = |point: &(f64, f64)| Circle::new(*point, 2 * UNIT, color.filled());
        chart.draw_series(points.iter().map(dot)).map_err(drawing)?;
        if let Some(start) = points.first() {
            let ring = Circle::new(*start, 6 * UNIT, stroke(color, 1.0, 2.0));
            chart.draw_series([ring]).map_err(drawing)?;
        }
    }
    Ok(())
}

/// The grid of an exact arm, or of the first seed of another.
pub fn grid_of<'a>(record: &'a Record, arm: &str, name: &str) -> Result<&'a Grid> {
    let traces = record.trials.traces(arm)?;
    traces[0].grids.get(name).with_context(|| format!("arm {arm} has no grid named {name}"))
}

/// The level lines in the coordinates of the axes.
fn level_lines(grid: &Grid, levels: &[f64]) -> Result<Vec<Vec<(f64, f64)>>> {
    let (columns, rows) = (grid.x.len(), grid.y.len());
    let step = |values: &[f64]| (values[values.len() - 1] - values[0]) / (values.len() - 1) as f64;
    let (dx, dy) = (step(&grid.x), step(&grid.y));
    // The tracer puts the value of column i at i + 1/2.
    let builder = ContourBuilder::new(columns, rows, true).x_step(dx).y_step(dy);
    let builder = builder.x_origin(grid.x[0] - dx / 2.0).y_origin(grid.y[0] - dy / 2.0);
    let lines = builder.lines(&grid.z, levels).context("tracing level lines")?;
    let points = |line: &contour::Line| -> Vec<Vec<(f64, f64)>> {
        line.geometry().iter().map(|line| line.coords().map(|point| (point.x, point.y)).collect()).collect()
    };
    Ok(lines.iter().flat_map(points).flat_map(|line| without_border(&line, grid)).collect())
}

/// The tracer closes a line that leaves the grid along its border: cuts those pieces out.
fn without_border(line: &[(f64, f64)], grid: &Grid) -> Vec<Vec<(f64, f64)>> {
    let outside = |value: f64, axis: &[f64]| value <= axis[0] || value >= axis[axis.len() - 1];
    let on_border = |point: &(f64, f64)| outside(point.0, &grid.x) || outside(point.1, &grid.y);
    line.split(on_border).filter(|piece| piece.len() > 1).map(<[(f64, f64)]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The level line of x² + y² at 1 is the unit circle.
    #[test]
    fn level_lines_lie_where_the_value_is() {
        let axis: Vec<f64> = (0..41).map(|index| f64::from(index) / 10.0 - 2.0).collect();
        let z = axis.iter().flat_map(|y| axis.iter().map(move |x| x * x + y * y)).collect();
        let grid = Grid { x: axis.clone(), y: axis, z };
        let lines = level_lines(&grid, &[1.0]).unwrap();
        assert!(lines.iter().map(Vec::len).sum::<usize>() > 20);
        for (x, y) in lines.into_iter().flatten() {
            assert!(((x * x + y * y).sqrt() - 1.0).abs() < 0.01, "{x} {y}");
        }
    }
}
