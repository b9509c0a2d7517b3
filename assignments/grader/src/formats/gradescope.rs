//! For Gradescope: results.json.

use super::output;
use crate::report::{Graded, Report};
use crate::table::Table;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The sum of the tests' scores.
    pub score: f64,
    /// Seconds.
    pub execution_time: f64,
    pub output: String,
    pub output_format: String,
    pub visibility: String,
    /// The grader prints nothing for students.
    pub stdout_visibility: String,
    pub tests: Vec<ResultOfTest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaderboard: Vec<Place>,
}

/// What a leaderboard lists of a submission.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub name: String,
    pub value: f64,
    /// Which are first: `desc`, the largest.
    pub order: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultOfTest {
    pub score: f64,
    pub max_score: f64,
    pub status: String,
    pub name: String,
    pub number: String,
    pub output: String,
    pub output_format: String,
    pub visibility: String,
}

/// Results of a submission that was graded.
pub fn results(report: &Report) -> Results {
    let table = report.table.as_ref();
    let parts = [report.problem.clone(), table.map(Table::text), report.note.clone()];
    let mut output = vec![report.heading.clone()];
    output.extend(parts.into_iter().flatten());
    if report.tests.iter().all(|test| !test.hidden) {
        output.push(report.summary());
    }
    let tests = report.tests.iter().enumerate().map(|(index, test)| of_test(index + 1, test)).collect();
    Results {
        score: report.points().into(),
        execution_time: report.seconds,
        tests,
        leaderboard: table.map(place).into_iter().collect(),
        ..without_tests(&output.join("\n\n"))
    }
}

/// Results of a submission that could not be graded: no points, and why.
pub fn without_tests(why: &str) -> Results {
    Results {
        score: 0.0,
        execution_time: 0.0,
        output: why.into(),
        output_format: "text".into(),
        visibility: "visible".into(),
        stdout_visibility: "hidden".into(),
        tests: Vec::new(),
        leaderboard: Vec::new(),
    }
}

fn place(table: &Table) -> Place {
    Place { name: "mean accuracy, %".into(), value: table.score(), order: "desc".into() }
}

fn of_test(number: usize, test: &Graded) -> ResultOfTest {
    ResultOfTest {
        score: test.earned().into(),
        max_score: test.points.into(),
        status: if test.passed() { "passed" } else { "failed" }.into(),
        name: test.name.clone(),
        number: number.to_string(),
        output: output(test),
        output_format: "text".into(),
        visibility: if test.hidden { "hidden" } else { "visible" }.into(),
    }
}

/// In one piece: whoever reads the file sees the old results or the new ones.
pub fn write(results: &Results, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let name = path.file_name().context("--out names a file")?.to_string_lossy();
    let new = folder.join(format!(".{name}.new"));
    std::fs::write(&new, serde_json::to_string_pretty(results)? + "\n")
        .and_then(|()| std::fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
