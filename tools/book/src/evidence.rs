//! The committed evidence of every chapter, and whether it still speaks of the tree as it is now.

use anyhow::{Context, Result};
use normbook_fingerprint::{Sources, sha256};
use normbook_lab::judgement::judge_again;
use normbook_lab::plot;
use normbook_lab::provenance::Fingerprint;
use normbook_lab::record::Record;
use normbook_lab::words::Words;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A chapter: its folder, its program, its evidence.
pub struct Chapter {
    /// `ch01`.
    pub id: String,
    /// `ch01-feature-normalization`.
    pub program: String,
    /// The folder of its sources, from the repository root: `chapters/ch01_feature_normalization`.
    pub folder: PathBuf,
    /// Its record, with the words of today.
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

    /// Where the box of one of its claims is in the book.
    pub fn address_of(&self, claim: &str) -> String {
        format!("{}.html#claim-{}-{claim}", self.program.replace('-', "_"), self.id)
    }
}

/// Reads all chapters, in order. Errors only if the tree itself cannot be read.
pub fn read(root: &Path) -> Result<Vec<Chapter>> {
    let sources = Sources::read(root)?;
    let entries = sources.graph.0.keys().filter(|name| name.starts_with("chapters/") && name.ends_with("/main.rs"));
    entries.map(|entry| chapter(root, entry, &sources)).collect()
}

fn chapter(root: &Path, entry: &str, sources: &Sources) -> Result<Chapter> {
    let folder = Path::new(entry).parent().unwrap_or(Path::new("")).to_owned();
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let id = name.split('_').next().unwrap_or_default().to_owned();
    let figures = root.join("figures").join(&id);
    let mut chapter = Chapter {
        program: name.replace('_', "-"),
        record: Record::read(&figures.join("record.json")),
        stale: Vec::new(),
        figures: BTreeMap::new(),
        outdated_figures: Vec::new(),
        folder,
        id,
    };
    match &mut chapter.record {
        Err(error) => chapter.stale.push(format!("{error:#}")),
        Ok(record) => {
            chapter.stale = match Fingerprint::read(&figures.join("fingerprint.json")) {
                Err(error) => vec![format!("{error:#}")],
                Ok(then) => {
                    let data = then.data.keys().map(|name| (name.clone(), hash(&root.join(name)))).collect();
                    then.differences(&Fingerprint::of(sources, &[entry], data)?)
                }
            };
            if judge_again(record.claims.clone(), record.protocol.may_judge()) != record.claims {
                chapter
                    .stale
                    .push("its verdicts are not what its rules say of its measurements: run the chapter again".into());
            }
            if !record.committed || record.chapter != chapter.id {
                chapter.stale.push("the record is not that of the committed protocol of this chapter".into());
            }
            if let Err(error) = reword(record, &root.join(&chapter.folder).join("claims.toml")) {
                chapter.stale.push(format!("{}: {error:#}", chapter.folder.display()));
            }
            let described = chapter.folder.join("figures.toml");
            let drawn = std::fs::read_to_string(root.join(&described))
                .context("cannot be read")
                .and_then(|text| plot::draw_all(&text, record, None))
                .with_context(|| described.display().to_string());
            match drawn {
                Ok(figures) => chapter.figures = figures,
                Err(error) => chapter.outdated_figures.push(format!("{error:#}")),
            }
        }
    }
    compare_figures(&mut chapter, root, &figures);
    Ok(chapter)
}

/// Puts the words of `claims.toml` on the claims of a record.
fn reword(record: &mut Record, path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path).context("claims.toml cannot be read")?;
    let words = Words::parse(&text)?;
    record.claims.iter_mut().try_for_each(|claim| claim.reword(&words))
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
