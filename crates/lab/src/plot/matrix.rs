//! A table of arms: a row for each name before the comma of "name, task", a column for each value of a task. A column's
//! cells are stronger in colour the better their value is. The same table as text is what a run prints and a page
//! shows.

use super::chart::{lines_of, title_lines};
use super::figure::{Better, Column};
use super::number::number;
use super::style::{INK, TEXT, UNIT, WIDTH, series as series_color, text, text_width, upward_text};
use super::svg::{Area, drawing};
use crate::record::Record;
use anyhow::{Result, ensure};
use plotters::prelude::{Rectangle, Text};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const ROW: i32 = (TEXT + 8) * UNIT;

/// A row's name, and medians over seeds: none where it has no such task, or a seed without the value.
pub type Row = (String, Vec<Option<f64>>);

/// The rows, in the order of the protocol. Errors if there are none.
pub fn rows(columns: &[Column], record: &Record) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    for trial in &record.trials.trials {
        let Some((name, _)) = trial.arm.rsplit_once(", ") else { continue };
        if rows.iter().all(|(known, _)| known != name) {
            let cell = |column: &Column| {
                record.values.get(&format!("{name}, {}/{}/median", column.task, column.value)).copied()
            };
            rows.push((name.to_owned(), columns.iter().map(cell).collect()));
        }
    }
    ensure!(!rows.is_empty(), "no arm is named after a row and a task, as in 'batch, CNN'");
    Ok(rows)
}

/// A cell as it is shown.
pub fn shown(cell: Option<f64>) -> String {
    cell.map_or("–".into(), |value| number(format!("{value:.2e}").parse().expect("a formatted number parses")))
}

/// The nominal height of the drawing.
pub fn height(title: &str, columns: &[Column], record: &Record) -> Result<i32> {
    let lines = lines_of(title).len() as i32 + 1;
    Ok((head(columns) + ROW * rows(columns, record)?.len() as i32) / UNIT + lines * (TEXT + 4))
}

/// The room for the headers, which run upwards.
fn head(columns: &[Column]) -> i32 {
    columns.iter().map(|column| text_width(&column.label)).max().unwrap_or(0) + 8 * UNIT
}

pub fn draw(area: &Area, title: &str, columns: &[Column], record: &Record) -> Result<()> {
    let rows = rows(columns, record)?;
    let top = title_lines(area, title)? + head(columns);
    let left = rows.iter().map(|(name, _)| text_width(name)).max().unwrap_or(0) + 14 * UNIT;
    let pitch = (WIDTH * UNIT - left - 8 * UNIT) / columns.len().max(1) as i32;
    let middle = |column: usize| left + pitch * column as i32 + pitch / 2;
    for (index, column) in columns.iter().enumerate() {
        let style = upward_text().pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(column.label.clone(), (middle(index), top - 6 * UNIT), style)).map_err(drawing)?;
    }
    for (index, (name, cells)) in rows.iter().enumerate() {
        let center = top + ROW * index as i32 + ROW / 2;
        let label = text(INK).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(name.clone(), (left - 6 * UNIT, center), label)).map_err(drawing)?;
        for (column, cell) in cells.iter().enumerate() {
            let all = rows.iter().filter_map(|(_, cells)| cells[column]);
            if let Some(value) = cell {
                let (half, low) = (pitch / 2 - UNIT, ROW / 2 - UNIT);
                let corners = [(middle(column) - half, center - low), (middle(column) + half, center + low)];
                let color = series_color(1).mix(0.6 * goodness(*value, all, columns[column].better));
                area.draw(&Rectangle::new(corners, color.filled())).map_err(drawing)?;
            }
            let centered = text(INK).pos(Pos::new(HPos::Center, VPos::Center));
            area.draw(&Text::new(shown(*cell), (middle(column), center), centered)).map_err(drawing)?;
        }
    }
    Ok(())
}

/// The part of a column's cells that are worse.
fn goodness(value: f64, all: impl Iterator<Item = f64>, better: Better) -> f64 {
    let is_worse = |other: f64| match better {
        Better::High => other < value,
        Better::Low => other > value,
    };
    let (worse, count) = all.fold((0, 0), |(worse, count), other| (worse + i32::from(is_worse(other)), count + 1));
    f64::from(worse) / f64::from((count - 1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_a_column_is_strongest() {
        let all = || [1.0, 2.0, 4.0].into_iter();
        assert_eq!([1.0, 2.0, 4.0].map(|value| goodness(value, all(), Better::High)), [0.0, 0.5, 1.0]);
        assert_eq!([1.0, 2.0, 4.0].map(|value| goodness(value, all(), Better::Low)), [1.0, 0.5, 0.0]);
        assert_eq!(goodness(1.0, [1.0].into_iter(), Better::High), 0.0);
    }

    #[test]
    fn cells_have_three_digits() {
        assert_eq!([Some(0.81234), Some(12.345), Some(0.0), None].map(shown), ["0.812", "12.3", "0", "–"]);
    }
}
