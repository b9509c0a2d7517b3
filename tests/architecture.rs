//! What the fingerprint relies on: an `impl` stands in the file of its type, so that whoever names the type reaches it; for
//! a number type, in the file of the trait. And `unsafe` stands in src/ops alone.

use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Of an `impl` line what its file must define: the type, behind `for` or behind `impl` and its generics, or the trait if
/// the type is Rust's own.
fn subject(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(generics) => generics.split_once("> ")?.1,
        None => rest.strip_prefix(' ')?,
    };
    let subject = match rest.split_once(" for ") {
        Some((of, "f32 {" | "f64 {")) => of,
        Some((_, subject)) => subject,
        None => rest,
    };
    subject.split(['<', ' ', '{']).next()
}

#[test]
fn every_impl_stands_in_the_file_of_its_type() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut impls = 0;
    for file in sources(&root.join("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for name in code.lines().filter_map(subject) {
            let defines = ["struct", "enum", "trait"].iter().any(|kind| {
                code.lines().any(|line| {
                    let words: Vec<&str> = line.split([' ', '<', '(', '{', ';', ':']).collect();
                    words.windows(2).any(|pair| pair == [*kind, name])
                })
            });
            assert!(defines, "{}: impl of {name}, which is defined elsewhere", file.display());
            impls += 1;
        }
    }
    assert!(impls > 20, "only {impls} found");
}

#[test]
fn the_subject_of_an_impl_is_found() {
    assert_eq!(subject("impl Trial for Stepping {"), Some("Stepping"));
    assert_eq!(subject("impl<C: Chapter> Arguments<C> {"), Some("Arguments"));
    assert_eq!(subject("impl Runner<'_> {"), Some("Runner"));
    assert_eq!(subject("impl super::mlp::Mlp {"), Some("super::mlp::Mlp"));
    assert_eq!(subject("impl Element for f32 {"), Some("Element"));
}

#[test]
fn unsafe_code_stands_in_the_operations_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rooms = ["src", "chapters", "fingerprint", "tools", "assignments"].map(|room| sources(&root.join(room)));
    for file in rooms.iter().flatten() {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let uses = code.filter(|line| line.contains("unsafe {") || line.contains("unsafe fn")).count();
        assert!(uses == 0 || file.starts_with(root.join("src/ops")), "{} uses unsafe", file.display());
        assert_eq!(uses, text.matches("// SAFETY: ").count(), "{}: each use with its reason", file.display());
    }
}
