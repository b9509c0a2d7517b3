//! From a record to SVG. The same bytes on every machine: nothing depends on installed fonts.

pub mod figure;

use crate::lab::record::Record;
use anyhow::Result;
use std::collections::BTreeMap;

/// Every figure described in `figures` (TOML), by file name, drawn from `record`; over `committed`, where one is given.
pub fn draw_all(figures: &str, record: &Record, committed: Option<&Record>) -> Result<BTreeMap<String, String>> {
    let _ = (figures, record, committed);
    Ok(BTreeMap::new())
}
