//! From a record to SVG. The same bytes on every machine: nothing depends on installed fonts.

mod bars;
mod chart;
mod contour;
mod curves;
pub mod figure;
mod heat;
mod histograms;
mod images;
pub mod matrix;
pub mod number;
mod style;
pub mod svg;
mod ticks;

use crate::record::Record;
use anyhow::{Context, Result};
use figure::{Figure, FigureKind};
use images::Images;
use std::collections::BTreeMap;

/// Every figure described in `figures` (TOML), by file name, drawn from `record`; over `committed`, where one is given.
/// `{flag}` in it stands for the run's value of that flag. Errors name the figure and what the record has no data for.
pub fn draw_all(figures: &str, record: &Record, committed: Option<&Record>) -> Result<BTreeMap<String, String>> {
    let named = |figure: &Figure| -> Result<(String, String)> {
        let svg = draw(figure, record, committed).with_context(|| format!("figure {}", figure.name))?;
        Ok((format!("{}.svg", figure.name), svg))
    };
    figure::parse(&with_flags(figures, record))?.iter().map(named).collect()
}

/// The tables among the figures, as text: a first line of headers, then one line for each row.
pub fn tables(figures: &str, record: &Record) -> Result<Vec<Vec<Vec<String>>>> {
    let table = |figure: Figure| -> Option<Result<Vec<Vec<String>>>> {
        let FigureKind::Matrix { columns } = figure.kind else { return None };
        let header = std::iter::once(String::new()).chain(columns.iter().map(|column| column.label.clone()));
        let lines = matrix::rows(&columns, record).map(|rows| {
            let line = |(name, cells): matrix::Row| std::iter::once(name).chain(cells.into_iter().map(matrix::shown));
            std::iter::once(header.collect()).chain(rows.into_iter().map(|row| line(row).collect())).collect()
        });
        Some(lines)
    };
    figure::parse(&with_flags(figures, record))?.into_iter().filter_map(table).collect()
}

fn with_flags(figures: &str, record: &Record) -> String {
    let flags = record.protocol.flags.as_object().into_iter().flatten();
    flags.fold(figures.to_owned(), |text, (name, value)| {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{name}}}"), &shown)
    })
}

fn draw(figure: &Figure, record: &Record, committed: Option<&Record>) -> Result<String> {
    let title = &figure.title;
    let images = match &figure.kind {
        FigureKind::Images { rows, arm, grid } => Some(Images::of(title, rows, (arm, grid), record)?),
        _ => None,
    };
    let height = match &figure.kind {
        FigureKind::Contour { .. } | FigureKind::Heat { .. } => style::SQUARE,
        FigureKind::Matrix { columns } => matrix::height(title, columns, record)?,
        _ => images.as_ref().map_or(style::HEIGHT, Images::height),
    };
    let drawn = svg::draw(height, title, &figure.alt, |area| match &figure.kind {
        FigureKind::Curves { x, y, lines } => curves::draw(area, title, (x, y), lines, record, committed),
        FigureKind::Contour { x, y, arm, grid, levels, paths } => {
            let contour = contour::Contour { axes: (x, y), arm, grid, levels, paths };
            contour::draw(area, title, &contour, record, committed)
        }
        FigureKind::Bars { x, bars } => bars::draw(area, title, x, bars, record, committed),
        FigureKind::Heat { x, y, arm, grid } => heat::draw(area, title, (x, y), arm, grid, record),
        FigureKind::Matrix { columns } => matrix::draw(area, title, columns, record),
        FigureKind::Histograms { x, y, arm, grid } => histograms::draw(area, title, (x, y), arm, grid, record),
        FigureKind::Images { .. } => images.iter().try_for_each(|images| images.draw(area, title)),
    })?;
    Ok(match images {
        Some(images) => images.with_pixels(&drawn),
        None => drawn,
    })
}
