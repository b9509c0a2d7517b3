//! What a program was compiled from.

use crate::{SourceGraph, numeric_crates};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The source files that a program reaches, and the versions of the crates that can change a number.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Sources {
    pub graph: SourceGraph,
    pub crates: BTreeMap<String, String>,
}

impl Sources {
    /// Reads what a chapter's program reaches; `chapter` is its folder from `root`, such as `chapters/ch13_group_norm`.
    pub fn of_chapter(root: &Path, chapter: &str) -> Result<Self> {
        let all = Self::read(root)?;
        let reach = all.graph.reach(&[&format!("{chapter}/main.rs")])?;
        let graph = all.graph.0.into_iter().filter(|(name, _)| reach.contains_key(name)).collect();
        Ok(Self { graph: SourceGraph(graph), ..all })
    }

    /// Reads the tree under `root` as it is now. Errors name the file that cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let read = |name: &str| std::fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"));
        Ok(Self {
            graph: SourceGraph::read(root)?,
            crates: numeric_crates(&read("Cargo.lock")?, &read("Cargo.toml")?)?,
        })
    }

    /// Reads what the macro `sources!` embedded in a program.
    pub fn embedded(json: &str) -> Result<Self> {
        serde_json::from_str(json).context("the embedded sources are damaged: build the program again")
    }
}
