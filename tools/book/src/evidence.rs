//! The committed evidence of every chapter, and whether it still speaks of the tree as it stands.

use anyhow::{Context, Result};
use normbook_fingerprint::{SourceGraph, numeric_crates, sha256};
use normbook_lab::claim;
use normbook_lab::plot;
use normbook_lab::provenance::Fingerprint;
use normbook_lab::record::Record;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A chapter: its source file, its program, its evidence.
pub struct Chapter {
    /// `ch01`.
    pub id: String,
    /// `ch01-feature-normalization`.
    pub program: String,
    pub record: Result<Record>,
    /// What speaks against the record: why it is stale, or that it cannot be read.
    pub stale: Vec<String>,
    /// Each figure drawn anew from the record, by file name.
    pub figures: BTreeMap<String, String>,
    /// Figures that are missing or are not what the record gives.
    pub outdated_figures: Vec<String>,
}

impl Chapter {
    /// Whether the chapter must be run again.
    pub fn must_run(&self) -> bool {
        self.record.is_err() || !self.stale.is_empty()
    }

    /// Where the box of one of its claims stands in the book.
    pub fn address_of(&self, claim: &str) -> String {
        format!("{}.html#claim-{}-{claim}", self.program.replace('-', "_"), self.id)
    }
}

/// All chapters, in order. Errors only if the tree itself cannot be read.
pub fn read(root: &Path) -> Result<Vec<Chapter>> {
    let graph = SourceGraph::read(root)?;
    let read = |name: &str| std::fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"));
    let crates = numeric_crates(&read("Cargo.lock")?, &read("Cargo.toml")?)?;
    let sources = graph.0.keys().filter(|name| name.starts_with("chapters/"));
    sources.map(|source| chapter(root, source, &graph, &crates)).collect()
}

fn chapter(root: &Path, source: &str, graph: &SourceGraph, crates: &BTreeMap<String, String>) -> Result<Chapter> {
    let stem = Path::new(source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let id = stem.split('_').next().unwrap_or_default().to_owned();
    let folder = root.join("figures").join(&id);
    let record = Record::read(&folder.join("record.json"));
    let mut chapter = Chapter {
        program: stem.replace('_', "-"),
        record,
        stale: Vec::new(),
        figures: BTreeMap::new(),
        outdated_figures: Vec::new(),
        id,
    };
    match &chapter.record {
        Err(error) => chapter.stale.push(format!("{error:#}")),
        Ok(record) => {
            let now = Fingerprint {
                sources: graph.reach(&[source])?,
                data: record.fingerprint.data.keys().map(|name| (name.clone(), hash(&root.join(name)))).collect(),
                crates: crates.clone(),
            };
            chapter.stale = record.fingerprint.differences(&now);
            if claim::judge(record.claims.clone(), record.protocol.may_judge()) != record.claims {
                chapter
                    .stale
                    .push("its verdicts are not what its rules say of its measurements: run the chapter again".into());
            }
            if !record.committed || record.chapter != chapter.id {
                chapter.stale.push("the record is not that of the committed protocol of this chapter".into());
            }
            let described: PathBuf = root.join(source).with_extension("toml");
            let figures = std::fs::read_to_string(&described)
                .with_context(|| format!("cannot read {}", described.display()))
                .and_then(|text| plot::draw_all(&text, record, None))
                .with_context(|| described.strip_prefix(root).unwrap_or(&described).display().to_string());
            match figures {
                Ok(figures) => chapter.figures = figures,
                Err(error) => chapter.outdated_figures.push(format!("{error:#}")),
            }
        }
    }
    compare_figures(&mut chapter, root, &folder);
    Ok(chapter)
}

/// The SHA-256 of a file, or a word that is none.
fn hash(path: &Path) -> String {
    std::fs::read(path).map_or_else(|_| "missing".into(), |bytes| sha256(&bytes))
}

fn compare_figures(chapter: &mut Chapter, root: &Path, folder: &Path) {
    let shown = |name: &str| folder.strip_prefix(root).unwrap_or(folder).join(name).display().to_string();
    for (name, drawn) in &chapter.figures {
        match std::fs::read(folder.join(name)) {
            Err(_) => chapter.outdated_figures.push(format!("{} is missing", shown(name))),
            Ok(bytes) if bytes != drawn.as_bytes() => {
                chapter.outdated_figures.push(format!("{} is not what the record gives", shown(name)));
            }
            Ok(_) => {}
        }
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".svg") && !chapter.figures.contains_key(&name) && chapter.record.is_ok() {
            chapter.outdated_figures.push(format!("{} belongs to no figure of the chapter", shown(&name)));
        }
    }
}

/// What lies in figures/ and belongs to no chapter.
pub fn strays(root: &Path, chapters: &[Chapter]) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("figures")).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let stray = names.filter(|name| !name.starts_with('.') && chapters.iter().all(|chapter| chapter.id != *name));
    stray.map(|name| format!("figures/{name} belongs to no chapter")).collect()
}
