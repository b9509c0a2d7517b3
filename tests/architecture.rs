//! What the fingerprint relies on: an `impl` stands in the file of its type, so that whoever names the type reaches it.

use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The type of an `impl` line: what stands behind `for`, or behind `impl` and its generics.
fn type_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(generics) => generics.split_once("> ")?.1,
        None => rest.strip_prefix(' ')?,
    };
    let subject = rest.split_once(" for ").map_or(rest, |(_, subject)| subject);
    subject.split(['<', ' ', '{']).next()
}

#[test]
fn every_impl_stands_in_the_file_of_its_type() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut impls = 0;
    for file in sources(&root.join("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for name in code.lines().filter_map(type_of) {
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
fn the_type_of_an_impl_is_found() {
    assert_eq!(type_of("impl Trial for Stepping {"), Some("Stepping"));
    assert_eq!(type_of("impl<C: Chapter> Arguments<C> {"), Some("Arguments"));
    assert_eq!(type_of("impl Runner<'_> {"), Some("Runner"));
    assert_eq!(type_of("impl super::mlp::Mlp {"), Some("super::mlp::Mlp"));
}
