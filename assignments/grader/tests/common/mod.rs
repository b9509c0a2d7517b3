//! What the tests of the grader share.
#![allow(dead_code)] // Each test program uses a part of it.

pub mod schema;
pub mod small;

use normbook_grade::build::Workshop;
use normbook_grade::contain::Walls;
use normbook_grade::report::{Graded, Report};
use std::path::{Path, PathBuf};

pub fn guard() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_normbook-grade"))
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

pub fn workshop() -> Workshop {
    Workshop::new(&root(), guard()).unwrap()
}

/// Whether this system has all walls; says so if not.
pub fn all_walls() -> bool {
    let missing = Walls::around(&workshop().toolchain.folder).missing();
    if let Some(missing) = &missing {
        eprintln!("SKIPPED: {missing}");
    }
    missing.is_none()
}

pub fn test<'a>(report: &'a Report, name: &str) -> &'a Graded {
    report.tests.iter().find(|test| test.name == name).unwrap()
}

/// `cargo grade` in a folder.
pub fn cargo_grade(folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    assert_cmd::Command::new(guard()).current_dir(folder).env_remove("GITHUB_OUTPUT").args(arguments).assert()
}
