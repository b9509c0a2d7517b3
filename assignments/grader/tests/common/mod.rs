//! Shared by the tests of the grader.
#![allow(dead_code)] // Each test program uses only a part.

pub mod schema;
pub mod small;

use normbook_grade::builder::Builder;
use normbook_grade::report::{GradedTest, Report};
use normbook_grade::sandbox::Isolation;
use std::path::{Path, PathBuf};

/// The grader's program.
pub fn grader() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_normbook-grade"))
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

pub fn builder() -> Builder {
    Builder::new(&root(), grader()).unwrap()
}

/// Whether this system isolates programs completely; prints what is missing.
pub fn is_isolated() -> bool {
    let missing = Isolation::detect(&builder().toolchain.folder).missing();
    if let Some(missing) = &missing {
        eprintln!("SKIPPED: {missing}");
    }
    missing.is_none()
}

pub fn test<'a>(report: &'a Report, name: &str) -> &'a GradedTest {
    report.tests.iter().find(|test| test.name == name).unwrap()
}

/// Runs `cargo grade` in a folder.
pub fn cargo_grade(folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    assert_cmd::Command::new(grader()).current_dir(folder).env_remove("GITHUB_OUTPUT").args(arguments).assert()
}
