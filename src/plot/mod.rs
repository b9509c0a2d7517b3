//! From a record to SVG. The same bytes on every machine: nothing depends on installed fonts.

mod bars;
mod chart;
mod contour;
mod curves;
pub mod figure;
mod heat;
mod histograms;
pub mod number;
mod style;
pub mod svg;
mod ticks;

use crate::lab::record::Record;
use anyhow::{Context, Result};
use figure::{Figure, Kind};
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

fn with_flags(figures: &str, record: &Record) -> String {
    let flags = record.protocol.flags.as_object().into_iter().flatten();
    flags.fold(figures.to_owned(), |text, (name, value)| {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{name}}}"), &shown)
    })
}

fn draw(figure: &Figure, record: &Record, committed: Option<&Record>) -> Result<String> {
    let title = &figure.title;
    let height =
        if matches!(figure.kind, Kind::Contour { .. } | Kind::Heat { .. }) { style::SQUARE } else { style::HEIGHT };
    svg::draw(height, title, &figure.alt, |area| match &figure.kind {
        Kind::Curves { x, y, lines } => curves::draw(area, title, (x, y), lines, record, committed),
        Kind::Contour { x, y, arm, grid, levels, paths } => {
            let contour = contour::Contour { axes: (x, y), arm, grid, levels, paths };
            contour::draw(area, title, &contour, record, committed)
        }
        Kind::Bars { x, bars } => bars::draw(area, title, x, bars, record, committed),
        Kind::Heat { x, y, arm, grid } => heat::draw(area, title, (x, y), arm, grid, record),
        Kind::Histograms { x, y, arm, grid } => histograms::draw(area, title, (x, y), arm, grid, record),
    })
}
