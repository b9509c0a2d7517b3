//! Grey images side by side, each pixel a square. Images mean the same on light and on dark paper: their greys are no
//! roles.
//!
//! plotters draws their frames and labels; the pixels, thousands of them, are a path for each grey: runs of equal
//! pixels in a row, as strokes of one pixel's height.

use super::chart::{lines_of, title_lines};
use super::contour::grid_of;
use super::style::{FAINT, INK, TEXT, UNIT, WIDTH, text, text_width};
use super::svg::{Area, drawing};
use crate::record::Record;
use crate::trial::Grid;
use anyhow::{Result, ensure};
use plotters::prelude::{Rectangle, Text};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fmt::Write as _;

/// Shades from black to white.
const SHADES: usize = 16;
const GAP: i32 = 6 * UNIT;

/// Square images in rows and columns, and where they stand, in units.
pub struct Images<'a> {
    grid: &'a Grid,
    rows: &'a [String],
    /// Pixels of a side.
    side: usize,
    /// Units of a pixel.
    scale: i32,
    left: i32,
    top: i32,
}

impl<'a> Images<'a> {
    /// The grid holds images of bytes, as many below each other as there are labels. Errors if these are no squares.
    pub fn of(title: &str, rows: &'a [String], (arm, name): (&str, &str), record: &'a Record) -> Result<Self> {
        let grid = grid_of(record, arm, name)?;
        let (width, height) = (grid.x.len(), grid.y.len());
        let side = height / rows.len().max(1);
        let is_whole = side > 0 && side * rows.len() == height && width > 0 && width.is_multiple_of(side);
        ensure!(is_whole, "{width} × {height} pixels are no {} rows of square images", rows.len());
        let left = rows.iter().map(|row| text_width(row)).max().unwrap_or(0) + 16 * UNIT;
        let columns = (width / side) as i32;
        let scale = (WIDTH * UNIT - left - 8 * UNIT - GAP * (columns - 1)) / width as i32;
        let top = (8 + lines_of(title).len() as i32 * (TEXT + 4)) * UNIT + GAP;
        Ok(Self { grid, rows, side, scale: scale.max(1), left, top })
    }

    /// Of the whole drawing, in nominal pixels.
    pub fn height(&self) -> i32 {
        (self.place(0, self.rows.len()).1 + GAP) / UNIT
    }

    /// The upper left corner of an image.
    fn place(&self, column: usize, row: usize) -> (i32, i32) {
        let pitch = self.side as i32 * self.scale + GAP;
        (self.left + column as i32 * pitch, self.top + row as i32 * pitch)
    }

    fn columns(&self) -> usize {
        self.grid.x.len() / self.side
    }

    /// All but the pixels.
    pub fn draw(&self, area: &Area, title: &str) -> Result<()> {
        title_lines(area, title)?;
        let size = self.side as i32 * self.scale;
        for (row, label) in self.rows.iter().enumerate() {
            let style = text(INK).pos(Pos::new(HPos::Right, VPos::Center));
            let middle = self.place(0, row).1 + size / 2;
            area.draw(&Text::new(label.clone(), (self.left - 2 * GAP, middle), style)).map_err(drawing)?;
            for column in 0..self.columns() {
                let (x, y) = self.place(column, row);
                let corners = [(x - UNIT, y - UNIT), (x + size + UNIT, y + size + UNIT)];
                area.draw(&Rectangle::new(corners, FAINT.filled())).map_err(drawing)?;
            }
        }
        Ok(())
    }

    /// The drawing with its pixels.
    pub fn with_pixels(&self, drawn: &str) -> String {
        let mut pixels = String::new();
        for row in 0..self.rows.len() {
            for column in 0..self.columns() {
                let (x, y) = self.place(column, row);
                let lines = (0..self.side).map(|line| {
                    let start = (row * self.side + line) * self.grid.x.len() + column * self.side;
                    &self.grid.z[start..start + self.side]
                });
                let scale = self.scale;
                let _ = writeln!(pixels, "<g transform=\"translate({x} {y}) scale({scale})\">\n{}</g>", paths(lines));
            }
        }
        drawn.replacen("</svg>", &format!("<g shape-rendering=\"crispEdges\">\n{pixels}</g>\n</svg>"), 1)
    }
}

/// A path for each shade that the lines of an image have.
fn paths<'a>(lines: impl Iterator<Item = &'a [f64]>) -> String {
    let mut runs = vec![String::new(); SHADES];
    for (y, line) in lines.enumerate() {
        let mut x = 0;
        for run in line.chunk_by(|one, other| shade(*one) == shade(*other)) {
            let _ = write!(runs[shade(run[0])], "M{x} {y}.5h{}", run.len());
            x += run.len();
        }
    }
    let mut paths = String::new();
    for (shade, runs) in runs.iter().enumerate().filter(|(_, runs)| !runs.is_empty()) {
        let _ = writeln!(paths, "<path stroke=\"#{0:x}{0:x}{0:x}\" d=\"{runs}\"/>", shade);
    }
    paths
}

/// Of a byte.
fn shade(byte: f64) -> usize {
    ((byte / 255.0 * (SHADES - 1) as f64).round() as usize).min(SHADES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_neighbours_are_one_run() {
        let (black, white) = (0.0, 255.0);
        let lines = [[black, 3.0, white], [white, white, 120.0]];
        let expected = "<path stroke=\"#000\" d=\"M0 0.5h2\"/>\n<path stroke=\"#777\" d=\"M2 1.5h1\"/>\n\
                        <path stroke=\"#fff\" d=\"M2 0.5h1M0 1.5h2\"/>\n";
        assert_eq!(paths(lines.iter().map(|line| &line[..])), expected);
        assert_eq!([-5.0, 300.0].map(shade), [0, 15]);
    }
}
