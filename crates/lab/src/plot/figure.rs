//! What a figure shows: named series of a record, not how they are drawn. Written in a TOML file beside the chapter, so
//! that a caption is no part of the evidence.

use anyhow::{Context, Result};
use serde::Deserialize;

/// A figure of a chapter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Figure {
    /// The file's name without `.svg`.
    pub name: String,
    /// What stands above the plot.
    pub title: String,
    /// What a reader who cannot see it should know.
    pub alt: String,
    #[serde(flatten)]
    pub kind: FigureKind,
}

/// An axis with its label and unit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    pub label: String,
    #[serde(default)]
    pub log: bool,
}

/// One labelled set of series: those of all seeds of an arm.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub label: String,
    pub arm: String,
    pub series: String,
    /// That no seed has a point is no error, such as where a series tells of targets that were reached.
    #[serde(default)]
    pub may_be_empty: bool,
}

/// One labelled bar, from a value of an arm.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    pub label: String,
    pub arm: String,
    pub value: String,
}

/// A column of a matrix: a value of the arms that are named after this task.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    pub label: String,
    pub task: String,
    pub value: String,
    pub better: Better,
}

/// Which values of a column are the better ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    High,
    Low,
}

/// The kinds of figure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FigureKind {
    /// Curves: seeds faint, their median bold.
    Curves { x: Axis, y: Axis, lines: Vec<Line> },
    /// Level lines of a grid at the given levels, with paths over them.
    Contour { x: Axis, y: Axis, arm: String, grid: String, levels: Vec<f64>, paths: Vec<Line> },
    /// Bars: the median over seeds, with a mark for each seed.
    Bars { x: Axis, bars: Vec<Bar> },
    /// A grid as coloured cells with their values.
    Heat { x: Axis, y: Axis, arm: String, grid: String },
    /// A table of arms that are named "row, task": medians over seeds.
    Matrix { columns: Vec<Column> },
    /// A grid of bytes as grey images: these rows of squares, as many beside each other as its width holds.
    Images { rows: Vec<String>, arm: String, grid: String },
    /// A distribution over time: each column of a grid (x: step, y: bin, z: density) as a ridge.
    Histograms { x: Axis, y: Axis, arm: String, grid: String },
}

/// The figures of a chapter, from the text of its TOML file. Errors name the line.
pub fn parse(text: &str) -> Result<Vec<Figure>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        figure: Vec<Figure>,
    }
    Ok(toml::from_str::<File>(text).context("the chapter's figures")?.figure)
}
