//! The source files of the tree, what each hashes to, and which imports which.

use crate::items::Items;
use crate::{sha256, tokens::Code};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files that draw, print or name folders, but cannot change a number.
pub const FILES_WITHOUT_NUMBERS: [&str; 5] = [
    "crates/lab/src/plot/",
    "crates/lab/src/cli/compare.rs",
    "crates/lab/src/cli/places.rs",
    "crates/lab/src/cli/progress.rs",
    "crates/lab/src/cli/report.rs",
];

/// The crates whose code a chapter can run: the name by which others import each, and the folder of its sources.
const CRATES: [(&str, &str); 3] =
    [("normbook", "src"), ("normbook_lab", "crates/lab/src"), ("normbook_ops", "crates/ops/src")];

/// The folder of the chapters; each is a folder with a crate of its own.
const CHAPTERS: &str = "chapters";

/// One source file.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct SourceNode {
    /// SHA-256 of its tokens.
    pub hash: String,
    /// The files that its code can depend on directly, relative to the repository root.
    pub imports: BTreeSet<String>,
}

/// The files of the crates and of the chapters, by their path from the repository root with `/` between folders.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct SourceGraph(pub BTreeMap<String, SourceNode>);

impl SourceGraph {
    /// Reads the tree under `root` as it is now. Errors name the file that cannot be read or is not Rust.
    pub fn read(root: &Path) -> Result<Self> {
        let mut sources = BTreeMap::new();
        for folder in CRATES.iter().map(|(_, folder)| *folder).chain([CHAPTERS]) {
            for path in rust_files(&root.join(folder))? {
                let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                let code = Code::parse(&text).with_context(|| format!("cannot fingerprint {name}"))?;
                sources.insert(name, code);
            }
        }
        let known: BTreeSet<&str> = sources.keys().map(String::as_str).collect();
        let mut graph: BTreeMap<String, SourceNode> = BTreeMap::new();
        for (name, code) in &sources {
            let node = SourceNode { hash: sha256(code.canonical().as_bytes()), imports: imports(name, code, &known) };
            graph.insert(name.clone(), node);
        }
        let items = sources.iter().map(|(name, code)| (name.as_str(), Items::of(code.trees()))).collect();
        for (from, to) in unnamed_imports(&items) {
            graph.get_mut(from).expect("items come from known files").imports.insert(to.to_owned());
        }
        Ok(Self(graph))
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
            ensure!(node.is_some(), "{name} is not a source file of a chapter or of a crate that chapters use");
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
    let Some(here) = Module::of(name) else { return BTreeSet::new() };
    let children = code.declared_modules();
    let leads_to = |path: Vec<String>| here.resolve(&path, &children)?.file(known);
    code.paths().into_iter().filter_map(leads_to).filter(|file| file != name).collect()
}

/// A module: the folder of its crate's sources, and its path from the crate's root.
#[derive(Clone)]
struct Module<'a> {
    folder: &'a str,
    path: Vec<String>,
}

impl<'a> Module<'a> {
    /// The module that is a file: `src/train/sgd.rs` is `[train, sgd]` of `src`.
    fn of(file: &'a str) -> Option<Self> {
        let chapter = || file.strip_prefix(CHAPTERS)?.strip_prefix('/')?.find('/').map(|end| CHAPTERS.len() + 1 + end);
        let folders = CRATES.iter().map(|(_, folder)| folder.len());
        let is_folder =
            |end: &usize| CRATES.iter().any(|(_, folder)| *folder == &file[..*end]) && file[*end..].starts_with('/');
        let end = folders.filter(|end| file.is_char_boundary(*end)).find(is_folder).or_else(chapter)?;
        let path = file[end + 1..].strip_suffix(".rs")?;
        let path = path.strip_suffix("/mod").unwrap_or(path);
        let is_root = path == "lib" || path == "main";
        let path = if is_root { Vec::new() } else { path.split('/').map(String::from).collect() };
        Some(Self { folder: &file[..end], path })
    }

    /// The module or item that `path`, written in this module, means; none if it leads out of the tree.
    fn resolve(&self, path: &[String], children: &BTreeSet<String>) -> Option<Self> {
        let (first, rest) = path.split_first()?;
        let imported = CRATES.iter().find(|(name, _)| name == first);
        let mut found = match (first.as_str(), imported) {
            (_, Some((_, folder))) => Self { folder, path: Vec::new() },
            ("crate", _) => Self { path: Vec::new(), ..*self },
            ("self", _) => self.clone(),
            ("super", _) => Self { path: self.path[..self.path.len().saturating_sub(1)].to_vec(), ..*self },
            (child, _) if children.contains(child) => {
                Self { path: [&self.path[..], &[child.to_owned()]].concat(), ..*self }
            }
            _ => return None,
        };
        for segment in rest {
            match segment.as_str() {
                "super" => drop(found.path.pop()),
                "self" => {}
                _ => found.path.push(segment.clone()),
            }
        }
        Some(found)
    }

    /// The file of the longest beginning of the path that is a module; the crate's root has everything else.
    fn file(&self, known: &BTreeSet<&str>) -> Option<String> {
        let modules = (1..=self.path.len()).rev().flat_map(|length| {
            let stem = format!("{}/{}", self.folder, self.path[..length].join("/"));
            [format!("{stem}.rs"), format!("{stem}/mod.rs")]
        });
        let roots = ["lib", "main"].map(|root| format!("{}/{root}.rs", self.folder));
        modules.chain(roots).find(|file| known.contains(file.as_str()))
    }
}

/// The arrows that no path shows, as (from, to): from a type to each file that implements something for it, from a
/// trait to each file that implements it for a type of another crate or one that a macro fills in, from a type to each
/// file that passes it to a macro with an `impl`, and from the call of a macro to its definition.
fn unnamed_imports<'a>(items: &BTreeMap<&'a str, Items>) -> BTreeSet<(&'a str, &'a str)> {
    let definers = |name: &str| -> Vec<&'a str> {
        items.iter().filter(|(_, items)| items.definitions.contains(name)).map(|(file, _)| *file).collect()
    };
    let macros: BTreeMap<&str, Vec<(&'a str, bool)>> =
        items.iter().fold(BTreeMap::new(), |mut macros, (file, items)| {
            for (name, makes_impl) in &items.macros {
                macros.entry(name.as_str()).or_insert_with(Vec::new).push((*file, *makes_impl));
            }
            macros
        });
    let mut arrows = BTreeSet::new();
    for (file, of_file) in items {
        for found in &of_file.impls {
            let types = found.type_name.as_deref().map(definers).unwrap_or_default();
            let traits = || found.trait_name.as_deref().map(definers).unwrap_or_default();
            let subjects = if types.is_empty() { traits() } else { types };
            if !subjects.contains(file) {
                arrows.extend(subjects.into_iter().map(|subject| (subject, *file)));
            }
        }
        for call in &of_file.calls {
            for (definition, makes_impl) in macros.get(call.name.as_str()).into_iter().flatten() {
                arrows.insert((*file, *definition));
                if *makes_impl {
                    let types = call.arguments.iter().flat_map(|name| definers(name));
                    arrows.extend(types.map(|subject| (subject, *file)));
                }
            }
        }
    }
    arrows.retain(|(from, to)| from != to);
    arrows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of made files, read as a graph.
    fn graph(files: &[(&str, &str)]) -> SourceGraph {
        let root = tempfile::tempdir().unwrap();
        for folder in CRATES.iter().map(|(_, folder)| *folder).chain([CHAPTERS]) {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
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

    fn reached(graph: &SourceGraph, entry: &str) -> Vec<String> {
        graph.reach(&[entry]).unwrap().into_keys().collect()
    }

    #[test]
    fn the_reach_follows_every_form_of_path() {
        let graph = graph(&[
            (
                "chapters/ch01/main.rs",
                "mod own; use normbook::net::{self, Net}; use normbook_lab::{claim::Claim, Arm};",
            ),
            ("chapters/ch01/own.rs", "use super::helper; fn f() { crate::theory::prove() }"),
            ("chapters/ch01/helper.rs", ""),
            ("chapters/ch01/theory/mod.rs", "pub mod layer; pub use layer::prove;"),
            ("chapters/ch01/theory/layer.rs", ""),
            ("chapters/ch02/main.rs", ""),
            ("crates/lab/src/lib.rs", "pub mod arm; pub mod claim; pub mod idle; pub use arm::Arm;"),
            ("crates/lab/src/arm.rs", "fn f() -> super::seed::Seed { vec![crate::seed::draw()] }"),
            ("crates/lab/src/claim.rs", "use super::super::seed; use crate::plot::draw;"),
            ("crates/lab/src/seed.rs", ""),
            ("crates/lab/src/idle.rs", ""),
            ("crates/lab/src/plot/mod.rs", ""),
            ("crates/ops/src/lib.rs", "pub mod linear; pub mod pool;"),
            ("crates/ops/src/linear.rs", ""),
            ("crates/ops/src/pool.rs", ""),
            ("src/lib.rs", "pub mod net; pub mod norm;"),
            ("src/net.rs", "pub fn f() { crate::norm::batch::normalize::<f32>(normbook_ops::linear::linear) }"),
            ("src/norm/mod.rs", "pub mod batch; pub mod group;"),
            ("src/norm/batch.rs", ""),
            ("src/norm/group.rs", ""),
        ]);
        assert_eq!(
            reached(&graph, "chapters/ch01/main.rs"),
            [
                "chapters/ch01/helper.rs",
                "chapters/ch01/main.rs",
                "chapters/ch01/own.rs",
                "chapters/ch01/theory/layer.rs",
                "chapters/ch01/theory/mod.rs",
                "crates/lab/src/arm.rs",
                "crates/lab/src/claim.rs",
                "crates/lab/src/lib.rs",
                "crates/lab/src/seed.rs",
                "crates/ops/src/linear.rs",
                "src/net.rs",
                "src/norm/batch.rs",
            ]
        );
    }

    /// An `impl` runs wherever its type is used, though nobody names its file.
    #[test]
    fn a_type_reaches_its_impls_in_other_files() {
        let graph = graph(&[
            ("chapters/ch01/main.rs", "use normbook::net::Net; fn main() { Net.train() }"),
            ("src/net.rs", "pub struct Net; pub trait Train {}"),
            ("src/steps.rs", "use crate::net::{Net, Train}; impl Train for Net {}"),
            ("src/inherent.rs", "impl crate::net::Net { fn train(&self) {} }"),
            ("src/other.rs", "struct Other; impl crate::net::Train for Other {}"),
        ]);
        let expected = ["chapters/ch01/main.rs", "src/inherent.rs", "src/net.rs", "src/steps.rs"];
        assert_eq!(reached(&graph, "chapters/ch01/main.rs"), expected);
    }

    #[test]
    fn an_impl_that_a_macro_makes_is_reached() {
        let files = |rate: &str| {
            graph(&[
                (
                    "chapters/ch01/main.rs",
                    "use normbook::net::{Net, Train}; fn main() { Net.train(); 1.0_f32.train() }",
                ),
                ("src/net.rs", "pub struct Net; pub trait Train {}"),
                ("src/numbers.rs", "macro_rules! numbers { ($t:ty) => { impl Train for $t { } } } numbers!(f32);"),
                (
                    "src/make.rs",
                    &format!("macro_rules! make {{ ($t:ty) => {{ impl $t {{ fn rate() {{ {rate} }} }} }} }}"),
                ),
                ("src/made.rs", "make!(crate::net::Net);"),
                ("src/idle.rs", "struct Idle; make!(Idle);"),
            ])
        };
        let reach = |rate| files(rate).reach(&["chapters/ch01/main.rs"]).unwrap();
        let (before, after) = (reach("0.1"), reach("0.2"));
        let expected = ["chapters/ch01/main.rs", "src/made.rs", "src/make.rs", "src/net.rs", "src/numbers.rs"];
        assert_eq!(before.keys().collect::<Vec<_>>(), expected);
        assert_ne!(before["src/make.rs"], after["src/make.rs"]);
        assert_eq!(before["src/made.rs"], after["src/made.rs"]);
    }

    /// What makes evidence stale: a helper in the chapter's folder, in `crates/ops`, in a crate's root.
    #[test]
    fn a_changed_helper_changes_the_reach_and_a_stranger_does_not() {
        let reach = |helper: &str, kernel: &str, stranger: &str| {
            let graph = graph(&[
                ("chapters/ch01/main.rs", "mod helper; use normbook_ops::linear; fn main() { helper::f() }"),
                ("chapters/ch01/helper.rs", helper),
                ("chapters/ch02/main.rs", stranger),
                ("crates/ops/src/lib.rs", "pub mod linear;"),
                ("crates/ops/src/linear.rs", kernel),
            ]);
            graph.reach(&["chapters/ch01/main.rs"]).unwrap()
        };
        let before = reach("fn f() { 1 }", "fn g() { 1 }", "");
        assert_ne!(reach("fn f() { 2 }", "fn g() { 1 }", ""), before);
        assert_ne!(reach("fn f() { 1 }", "fn g() { 2 }", ""), before);
        assert_eq!(reach("fn f() { 1 } // why", "fn g() { 1 }", "fn main() {}"), before);
    }

    #[test]
    fn an_unknown_entry_is_an_error() {
        let error = graph(&[("src/lib.rs", "")]).reach(&["chapters/ch99/main.rs"]).unwrap_err();
        assert!(error.to_string().contains("chapters/ch99/main.rs is not a source file"));
    }
}
