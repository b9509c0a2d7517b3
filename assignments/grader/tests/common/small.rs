//! A small assignment, for hostile submissions.

use super::grader;
use normbook_grade::assignment::Assignment;
use normbook_grade::builder::Builder;
use normbook_grade::grade::{TestSuites, grade};
use normbook_grade::report::Report;
use normbook_grade::submission;
use normbook_grade::{files, test_suite::TestSuite};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A right `double`. The submissions change this function; `add` stays right.
pub const RIGHT: &str = "
pub fn double(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| 2.0 * x).collect()
}
";
const ADD: &str = "
pub fn add(x: f64, y: f64) -> f64 {
    x + y
}
";
const HARNESS: &str = r#"
use crate::wire::Value;

pub fn call(function: &str, arguments: &[Value]) -> Result<Vec<Value>, String> {
    match (function, arguments) {
        ("double", [x]) => {
            let values = submission::double(&x.values);
            Ok(vec![Value { shape: vec![values.len()], values }])
        }
        ("add", [x, y]) => Ok(vec![Value { shape: vec![], values: vec![submission::add(x.values[0], y.values[0])] }]),
        _ => Err(format!("no function {function}")),
    }
}
"#;
const TESTS: &str = r#"{ "assignment": "a0", "tests": [
    { "name": "double", "points": 3, "asks": "double()", "hint": "Two times.", "tolerance": 0.0, "calls": [
        { "function": "double", "arguments": ["2: 1.0 2.5"], "expected": ["2: 2.0 5.0"],
          "mistakes": [{ "says": "That is the square.", "outputs": ["2: 1.0 6.25"] }] },
        { "function": "double", "arguments": ["0:"], "expected": ["0:"] }] },
    { "name": "add", "points": 2, "asks": "add()", "hint": "Plus.", "tolerance": 0.0, "calls": [
        { "function": "add", "arguments": [": 1.0", ": 2.0"], "expected": [": 3.0"] }] }] }"#;
/// Hidden tests, whose numbers a submission could print if it saw them.
const HIDDEN: &str = r#"{ "assignment": "a0", "tests": [
    { "name": "double", "points": 5, "asks": "double()", "hint": "", "tolerance": 0.0, "calls": [
        { "function": "double", "arguments": ["1: 777.0"], "expected": ["1: 1554.0"] }] }] }"#;

/// A course with this assignment alone.
pub struct Course {
    folder: TempDir,
    pub builder: Builder,
}

impl Course {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let a0 = path.join("assignments/a0");
        files::copy_folder(&super::root().join("assignments/harness"), &path.join("assignments/harness")).unwrap();
        let about = "title = \"Small\"\nminutes = 1\nabout = \"Two functions.\"\nfiles = [\"src/lib.rs\"]\n";
        let starter = "pub fn double(x: &[f64]) -> Vec<f64> {\n    todo!(\"double\")\n}\n\
                       pub fn add(x: f64, y: f64) -> f64 {\n    todo!(\"add\")\n}\n";
        let texts = [
            ("assignment.toml", about),
            ("harness.rs", HARNESS),
            ("tests.json", TESTS),
            ("starter/lib.rs", starter),
            ("src/lib.rs", starter),
        ];
        for (file, text) in texts {
            files::write(&a0.join(file), text).unwrap();
        }
        files::write(&path.join("hidden.json"), HIDDEN).unwrap();
        let mut builder = Builder::new(path, grader()).unwrap();
        builder.program_limits.seconds = 3;
        builder.compiler_limits.seconds = 20;
        Self { folder, builder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn hidden(&self) -> PathBuf {
        self.path().join("hidden.json")
    }

    pub fn tests(&self) -> PathBuf {
        self.path().join("assignments/a0/tests.json")
    }

    pub fn assignment(&self) -> Assignment {
        Assignment::open(self.path(), "a0").unwrap()
    }

    /// Writes a submission with this `double` and a right `add`.
    pub fn submit(&self, double: &str) -> PathBuf {
        let folder = self.path().join("submission");
        files::write(&folder.join("src/lib.rs"), &format!("{double}{ADD}")).unwrap();
        folder
    }

    pub fn grade(&self, double: &str) -> Report {
        self.grade_folder(&self.submit(double))
    }

    pub fn grade_folder(&self, folder: &Path) -> Report {
        let assignment = self.assignment();
        let suites = TestSuites::open(&assignment, Some(TestSuite::read(&self.hidden()).unwrap())).unwrap();
        grade(&self.builder, &assignment, submission::read(folder, "a0"), &suites).unwrap()
    }
}
