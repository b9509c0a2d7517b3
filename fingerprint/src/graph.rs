//! The source files of the package, what each hashes to, and which imports which.

use crate::{sha256, tokens::Code};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files that draw, print or name folders, but cannot change a number.
pub const FILES_WITHOUT_NUMBERS: [&str; 5] =
    ["src/plot/", "src/cli/compare.rs", "src/cli/places.rs", "src/cli/progress.rs", "src/cli/report.rs"];

/// The name under which chapters import the library.
const LIBRARY: &str = "normbook";

/// One source file.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct SourceNode {
    /// SHA-256 of its tokens.
    pub hash: String,
    /// The files it names in paths, relative to the repository root.
    pub imports: BTreeSet<String>,
}

/// All files under `src/` and `chapters/`, by their path from the repository root with `/` between folders.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct SourceGraph(pub BTreeMap<String, SourceNode>);

impl SourceGraph {
    /// Reads the tree under `root` as it stands. Errors name the file that cannot be read or is not Rust.
    pub fn read(root: &Path) -> Result<Self> {
        let mut sources = BTreeMap::new();
        for folder in ["src", "chapters"] {
            for path in rust_files(&root.join(folder))? {
                let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                let code = Code::parse(&text).with_context(|| format!("cannot fingerprint {name}"))?;
                sources.insert(name, code);
            }
        }
        let known: BTreeSet<&str> = sources.keys().map(String::as_str).collect();
        let node = |(name, code): (&String, &Code)| {
            let node = SourceNode { hash: sha256(code.canonical().as_bytes()), imports: imports(name, code, &known) };
            (name.clone(), node)
        };
        Ok(Self(sources.iter().map(node).collect()))
    }

    /// The hash of each file that code in `entries` can reach, the entries included, without the
    /// [`FILES_WITHOUT_NUMBERS`]. Errors on an entry that is not in the graph.
    pub fn reach(&self, entries: &[&str]) -> Result<BTreeMap<String, String>> {
        let mut reached = BTreeMap::new();
        let mut waiting: Vec<&str> = entries.to_vec();
        while let Some(name) = waiting.pop() {
            if reached.contains_key(name) || FILES_WITHOUT_NUMBERS.iter().any(|room| name.starts_with(room)) {
                continue;
            }
            let node = self.0.get(name);
            ensure!(node.is_some(), "{name} is not a source file under src/ or chapters/");
            let node = node.expect("checked above");
            reached.insert(name.to_owned(), node.hash.clone());
            waiting.extend(node.imports.iter().map(String::as_str));
        }
        Ok(reached)
    }
}

/// All `.rs` files below `folder`, sorted.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The files among `known` that the paths in `code` lead to.
fn imports(name: &str, code: &Code, known: &BTreeSet<&str>) -> BTreeSet<String> {
    let here = module_of(name);
    let children = code.declared_modules();
    let mut found = BTreeSet::new();
    for path in code.paths() {
        let Some(absolute) = absolute(&path, here.as_deref(), &children) else { continue };
        if let Some(file) = deepest_file(&absolute, known)
            && file != name
        {
            found.insert(file);
        }
    }
    found
}

/// The module path of a library file: `src/lab/claim.rs` is `[lab, claim]`; a chapter has none.
fn module_of(name: &str) -> Option<Vec<String>> {
    let path = name.strip_prefix("src/")?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    Some(if path == "lib" { Vec::new() } else { path.split('/').map(String::from).collect() })
}

/// `path` from the crate's root, or none if it leads out of the package.
fn absolute(path: &[String], here: Option<&[String]>, children: &BTreeSet<String>) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let mut base = match (first.as_str(), here) {
        (LIBRARY, _) | ("crate", Some(_)) => Vec::new(),
        ("self", Some(here)) => here.to_vec(),
        ("super", Some(here)) => here[..here.len().saturating_sub(1)].to_vec(),
        (child, Some(here)) if children.contains(child) => [here, &[child.to_owned()]].concat(),
        _ => return None,
    };
    for segment in rest {
        match segment.as_str() {
            "super" => drop(base.pop()),
            "self" => {}
            _ => base.push(segment.clone()),
        }
    }
    Some(base)
}

/// The file of the longest beginning of `path` that is a module.
fn deepest_file(path: &[String], known: &BTreeSet<&str>) -> Option<String> {
    (1..=path.len()).rev().find_map(|length| {
        let stem = format!("src/{}", path[..length].join("/"));
        [format!("{stem}.rs"), format!("{stem}/mod.rs")].into_iter().find(|file| known.contains(file.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of made files, read as a graph.
    fn graph(files: &[(&str, &str)]) -> SourceGraph {
        let root = tempfile::tempdir().unwrap();
        for folder in ["src", "chapters"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        SourceGraph::read(root.path()).unwrap()
    }

    fn hash(text: &str) -> String {
        graph(&[("src/lib.rs", text)]).0["src/lib.rs"].hash.clone()
    }

    #[test]
    fn the_hash_passes_over_what_cannot_change_a_number() {
        let plain = hash("const RATE: f64 = 0.1; fn f() { g(RATE) }");
        for same in [
            "//! A header.\nconst RATE: f64 = 0.1; // why\n\nfn f() {\n    g(RATE)\n}",
            "/// Documented.\nconst RATE: f64 = 0.1; fn f() { /* inside */ g(RATE) }",
            "const RATE: f64 = 0.1; fn f() { g(RATE) } #[cfg(test)] mod tests { #[test] fn t() { f() } }",
            "#[cfg(test)] use std::fs; mod child; const RATE: f64 = 0.1; fn f() { g(RATE) }",
        ] {
            assert_eq!(hash(same), plain, "{same}");
        }
        for other in
            ["const RATE: f64 = 0.2; fn f() { g(RATE) }", "#[cfg(unix)] const RATE: f64 = 0.1; fn f() { g(RATE) }"]
        {
            assert_ne!(hash(other), plain, "{other}");
        }
    }

    #[test]
    fn the_reach_follows_every_form_of_path() {
        let graph = graph(&[
            ("chapters/ch01.rs", "use normbook::lab::{Claim, trial::{self, Arm}};"),
            ("src/lib.rs", "pub mod lab; pub mod net; pub mod plot; pub mod seed; pub mod idle; pub mod norm;"),
            ("src/lab/mod.rs", "pub mod trial; mod claim; pub use claim::Claim;"),
            ("src/lab/claim.rs", "fn f() -> super::trial::Arm { vec![crate::seed::draw()] }"),
            ("src/lab/trial.rs", "use super::super::net; use crate::plot::draw;"),
            ("src/net.rs", "pub fn f() { crate::norm::batch::normalize::<f32>() }"),
            ("src/norm/mod.rs", "pub mod batch; pub mod group;"),
            ("src/norm/batch.rs", ""),
            ("src/norm/group.rs", ""),
            ("src/plot/mod.rs", ""),
            ("src/seed.rs", ""),
            ("src/idle.rs", ""),
        ]);
        let reach = graph.reach(&["chapters/ch01.rs"]).unwrap();
        let names: Vec<&str> = reach.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "chapters/ch01.rs",
                "src/lab/claim.rs",
                "src/lab/mod.rs",
                "src/lab/trial.rs",
                "src/net.rs",
                "src/norm/batch.rs",
                "src/seed.rs"
            ]
        );
    }

    #[test]
    fn an_unknown_entry_is_an_error() {
        let error = graph(&[("src/lib.rs", "")]).reach(&["chapters/ch99.rs"]).unwrap_err();
        assert!(error.to_string().contains("chapters/ch99.rs is not a source file"));
    }
}
