//! The order of the house: who may use whom, and what the fingerprint relies on.

use normbook_fingerprint::SourceGraph;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Each file with those it uses. A `mod.rs`, `lib.rs` or `main.rs` may offer what the files below it define.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let graph = SourceGraph::read(root()).unwrap();
    let offers = |file: &str, used: &str| {
        let (folder, name) = file.rsplit_once('/').unwrap();
        ["mod.rs", "lib.rs", "main.rs"].contains(&name) && used.starts_with(&format!("{folder}/"))
    };
    let uses =
        |file: &String, imports: BTreeSet<String>| imports.into_iter().filter(|used| !offers(file, used)).collect();
    graph.0.into_iter().map(|(file, node)| (file.clone(), uses(&file, node.imports))).collect()
}

/// Removes the files that use no other until none is left; what remains stands in a circle or above one.
fn circles(mut arrows: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    loop {
        let done: BTreeSet<String> =
            arrows.iter().filter(|(_, uses)| uses.is_empty()).map(|(file, _)| file.clone()).collect();
        if done.is_empty() {
            return arrows.into_iter().map(|(file, uses)| format!("{file} uses {uses:?}")).collect();
        }
        arrows.retain(|file, _| !done.contains(file));
        arrows.values_mut().for_each(|uses| uses.retain(|used| !done.contains(used)));
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let arrows = arrows();
    assert!(arrows.len() > 150 && arrows.values().map(BTreeSet::len).sum::<usize>() > 500);
    assert_eq!(circles(arrows), Vec::<String>::new());
    let made = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["b"]), ("d", vec![])];
    let made = made.map(|(file, uses)| (file.to_owned(), uses.into_iter().map(String::from).collect()));
    assert_eq!(circles(made.into()).len(), 3);
}

/// The floors, from the lowest: a file uses none of a higher one.
const FLOORS: [&[&str]; 6] = [
    &["crates/ops/", "crates/lab/"],
    &["src/data/", "src/norm/", "src/lib.rs"],
    &["src/net/"],
    &["src/train/", "src/testing.rs", "src/chapter.rs"],
    &["src/probe/"],
    &["chapters/"],
];

#[test]
fn no_file_uses_one_of_a_higher_floor() {
    let floor = |file: &str| FLOORS.iter().position(|rooms| rooms.iter().any(|room| file.starts_with(room))).unwrap();
    for (file, uses) in arrows() {
        for used in uses {
            assert!(floor(&used) <= floor(&file), "{file} uses {used}");
            let rooms = ["crates/ops/", "crates/lab/"];
            let is_across = |room: &str| rooms.contains(&room) && file.starts_with(room) && !used.starts_with(room);
            assert!(!rooms.into_iter().any(is_across), "{file} uses {used}");
        }
    }
}

#[test]
fn unsafe_code_is_in_the_operations_alone() {
    let rooms = ["src", "chapters", "crates", "tools", "assignments"].map(|room| sources(&root().join(room)));
    for file in rooms.iter().flatten() {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let uses = code.filter(|line| line.contains("unsafe {") || line.contains("unsafe fn")).count();
        assert!(uses == 0 || file.starts_with(root().join("crates/ops")), "{} uses unsafe", file.display());
        assert_eq!(uses, text.matches("// SAFETY: ").count(), "{}: each use with its reason", file.display());
    }
}
