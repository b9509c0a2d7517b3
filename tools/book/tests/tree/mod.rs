#![allow(dead_code)] // Each test program uses a part.
//! A copy of what the book builder reads, so that tests can damage it.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

/// A copy of what the book builder reads.
pub struct Tree {
    folder: tempfile::TempDir,
}

pub const RECORD: &str = "figures/ch01/record.json";
pub const PAGE: &str = "book/src/ch01_feature_normalization.md";
pub const TIMINGS: &str = "benches/versus_pytorch.json";

impl Tree {
    pub fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = tempfile::tempdir().unwrap();
        for name in ["crates", "src", "chapters", "figures", "data", "tests", "benches", "assignments"] {
            copy(&root.join(name), &folder.path().join(name));
        }
        for name in ["book/src", "book/theme"] {
            copy(&root.join(name), &folder.path().join(name));
        }
        for name in [
            "CONTRIBUTING.md",
            "Cargo.lock",
            "Cargo.toml",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "README.md",
            "book/book.toml",
            "book/slides.toml",
        ] {
            std::fs::copy(root.join(name), folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces the first `old` in a file, which must be there.
    pub fn edit(&self, name: &str, old: &str, new: &str) {
        let text = self.read(name);
        assert!(text.contains(old), "{name} has no {old}");
        std::fs::write(self.path(name), text.replacen(old, new, 1)).unwrap();
    }

    pub fn book(&self) -> Command {
        let mut command = Command::cargo_bin("normbook-book").unwrap();
        command.current_dir(self.folder.path());
        command
    }

    /// `--check` fails, and says `complaint`.
    pub fn refuses(&self, complaint: &str) {
        let output = self.book().arg("--check").assert().failure().get_output().stderr.clone();
        let said = String::from_utf8(output).unwrap();
        assert!(said.contains(complaint), "{complaint:?} is not in {said}");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
