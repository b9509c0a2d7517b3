//! The file for Gradescope.

mod common;

use common::{cargo_grade, root};
use flate2::{Crc, read::DeflateDecoder};
use normbook_grade::assignment::names;
use normbook_grade::cases;
use std::io::Read;

#[test]
fn a_package_holds_the_grader_and_no_solution() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("package.zip");
    let name = names(&root()).unwrap().remove(0);
    let run = cargo_grade(&root(), &[&name, "--package", "gradescope", "--out", &out.to_string_lossy()]);
    let errors = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    if errors.contains("cargo vendor says") {
        eprintln!("SKIPPED: {errors}");
        return;
    }
    run.success();
    let archive = std::fs::read(&out).unwrap();
    let entries = entries(&archive);
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
            let inputs = |test: &normbook_grade::test::Test| -> Vec<String> {
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

/// All files of an archive, by its directory; each is unpacked and checked against its sum.
fn entries(archive: &[u8]) -> Vec<Entry> {
    let short = |at: usize| usize::from(u16::from_le_bytes(archive[at..at + 2].try_into().unwrap()));
    let long = |at: usize| u32::from_le_bytes(archive[at..at + 4].try_into().unwrap());
    let end = archive.len() - 22;
    let (count, mut at) = (short(end + 10), long(end + 16) as usize);
    let mut entries = Vec::new();
    for _ in 0..count {
        let (sum, packed, size) = (long(at + 16), long(at + 20) as usize, long(at + 24) as usize);
        let (length, mode, place) = (short(at + 28), long(at + 38) >> 16, long(at + 42) as usize);
        let name = String::from_utf8(archive[at + 46..at + 46 + length].to_vec()).unwrap();
        let data = place + 30 + length;
        assert_eq!(archive[place + 30..data], *name.as_bytes());
        let mut contents = Vec::new();
        DeflateDecoder::new(&archive[data..data + packed]).read_to_end(&mut contents).unwrap();
        let mut crc = Crc::new();
        crc.update(&contents);
        assert_eq!((crc.sum(), contents.len()), (sum, size), "{name}");
        entries.push(Entry { name, mode, contents });
        at += 46 + length;
    }
    assert_eq!(at, end);
    entries
}
