//! What the tests of command lines share.

use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder for the results and trials of one test.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Chapter 1 at the smoke scale, with its results in the folder `out`.
    pub fn smoke(&self, out: &str) -> Command {
        let mut command = self.chapter();
        command.args(["--scale", "smoke", "--out"]).arg(self.path(out));
        command
    }

    pub fn chapter(&self) -> Command {
        let mut command = Command::cargo_bin("ch01-feature-normalization").unwrap();
        command.env("NORMBOOK_LAB", self.path("lab"));
        command
    }

    /// The record in `out` without the part that tells who made it.
    pub fn record(&self, out: &str) -> String {
        without_maker(&self.path(out).join("record.json"))
    }
}

pub fn without_maker(record: &Path) -> String {
    let mut value: Value = serde_json::from_str(&std::fs::read_to_string(record).unwrap()).unwrap();
    value.as_object_mut().unwrap().remove("made_by").unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

pub fn stderr(command: &mut Command) -> String {
    String::from_utf8(command.assert().failure().get_output().stderr.clone()).unwrap()
}

pub fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}
