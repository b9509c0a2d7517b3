//! The file for Gradescope.

mod common;

use common::{cargo_grade, root};
use normbook_grade::assignment::names;
use normbook_grade::cases;
use std::fs::File;
use std::io::Read;
use zip::ZipArchive;

#[test]
fn a_package_holds_the_grader_and_no_solution() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("package.zip");
    let name = names(&root()).unwrap().remove(0);
    let run = cargo_grade(&root(), &[&name, "--package", "gradescope", "--out", &out.to_string_lossy()]);
    let errors = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    if errors.contains("cargo vendor fails") {
        eprintln!("SKIPPED: {errors}");
        return;
    }
    run.success();
    let entries = entries(&mut ZipArchive::new(File::open(&out).unwrap()).unwrap());
    for program in ["setup.sh", "run_autograder"] {
        let entry = entries.iter().find(|entry| entry.name == program).unwrap();
        assert_eq!(entry.mode, 0o100_755);
        let text = String::from_utf8(entry.contents.clone()).unwrap();
        assert!(text.starts_with("#!/usr/bin/env bash\n") && !text.contains("@A") && !text.contains("@R"), "{text}");
    }
    let files: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let has = |part: &str| files.iter().any(|file| file.contains(part));
    for needed in [
        "Cargo.lock",
        "vendor/landlock-",
        ".cargo/config.toml",
        "tests.json",
        "starter/lib.rs",
        "assignments/grader/src/main.rs",
    ] {
        assert!(has(needed), "{needed} is missing");
    }
    assert!(!has("wrong.toml") && !has(&format!("{name}/src")) && !has("hidden.json"));
    assert!(!has("grader/tests"), "the grader's tests check the reference solutions, which a package does not hold");
}

#[test]
fn hidden_tests_are_the_same_tests_with_other_inputs() {
    for name in names(&root()).unwrap() {
        let (public, hidden) = (cases::tests(&name, 0).unwrap(), cases::tests(&name, 1).unwrap());
        assert_eq!(public.len(), hidden.len());
        for (public, hidden) in public.iter().zip(&hidden) {
            assert_eq!((public.name, public.points), (hidden.name, hidden.points));
            let inputs = |test: &normbook_grade::test_inputs::TestInputs| -> Vec<String> {
                test.calls.iter().flat_map(|call| &call.arguments).map(ToString::to_string).collect()
            };
            assert_ne!(inputs(public), inputs(hidden), "{name}: {} has the same inputs with every seed", public.name);
        }
    }
}

struct Entry {
    name: String,
    mode: u32,
    contents: Vec<u8>,
}

/// All files of an archive, unpacked and checked against their checksums.
fn entries(archive: &mut ZipArchive<File>) -> Vec<Entry> {
    let count = archive.len();
    let entry = |index| {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        assert!(file.enclosed_name().is_some() && file.is_file(), "{name}");
        assert_eq!(file.last_modified(), Some(zip::DateTime::DEFAULT), "the same files give the same archive");
        let mut contents = Vec::new();
        file.read_to_end(&mut contents).unwrap();
        Entry { name, mode: file.unix_mode().unwrap(), contents }
    };
    (0..count).map(entry).collect()
}
