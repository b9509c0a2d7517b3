//! `--refresh`: one seed of each arm decides whether the evidence may keep its numbers. In a copy of the tree.

use assert_cmd::Command;
use normbook_lab::provenance::Fingerprint;
use normbook_lab::record::Record;
use std::path::{Path, PathBuf};

fn tree() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("chapters")).unwrap();
    std::fs::create_dir_all(folder.path().join("figures/ch01")).unwrap();
    for name in ["figures/ch01/record.json", "figures/ch01/fingerprint.json"] {
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), folder.path().join(name)).unwrap();
    }
    let record = folder.path().join("figures/ch01/record.json");
    (folder, record)
}

fn refresh(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("ch01-feature-normalization").unwrap();
    // The committed record is made by the fused operations.
    command.current_dir(folder).env("NORMBOOK_LAB", folder.join("lab")).env_remove("NORMBOOK_OPS").arg("--refresh");
    command
}

/// A record made on another kind of processor differs in the last bits, and must be refused.
#[test]
fn equal_traces_renew_the_fingerprint_and_others_are_refused() {
    let (folder, path) = tree();
    let committed = Record::read(&path).unwrap();
    if committed.made_by.instruction_set == normbook_lab::provenance::instruction_set() {
        let beside = path.with_file_name("fingerprint.json");
        let fingerprint = Fingerprint::read(&beside).unwrap();
        let mut old = fingerprint.clone();
        old.sources.insert("crates/lab/src/seed.rs".into(), "another".into());
        old.write(&beside).unwrap();
        refresh(folder.path()).assert().success();
        let renewed = Record::read(&path).unwrap();
        assert_eq!(renewed.trials, committed.trials);
        assert_eq!(Fingerprint::read(&beside).unwrap(), fingerprint);
        assert_eq!(renewed.made_by.date, committed.made_by.date);
    } else {
        eprintln!("skipped: the committed record was made with {}", committed.made_by.instruction_set);
    }
    let mut other = committed;
    let values = &mut other.pilots.trials[0].trace.values;
    values.values_mut().for_each(|value| *value += 1.0);
    other.write(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let output = refresh(folder.path()).assert().failure().get_output().stderr.clone();
    let said = String::from_utf8(output).unwrap();
    assert!(said.contains("no longer gives what is recorded"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
