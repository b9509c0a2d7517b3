//! The report for Gradescope: `results.json`.

use crate::comparison_table::ComparisonTable;
use crate::report::{GradedTest, Report};
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
    /// Hidden, because the grader prints nothing for students.
    pub stdout_visibility: String,
    pub tests: Vec<TestResult>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaderboard: Vec<LeaderboardEntry>,
}

/// A submission's line on a leaderboard.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaderboardEntry {
    pub name: String,
    pub value: f64,
    /// `desc` ranks the largest value first.
    pub order: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestResult {
    pub score: f64,
    pub max_score: f64,
    pub status: String,
    pub name: String,
    pub number: String,
    pub output: String,
    pub output_format: String,
    pub visibility: String,
}

/// Makes the results of a graded submission.
pub fn results(report: &Report) -> Results {
    let table = report.table.as_ref();
    let parts = [report.problem.clone(), table.map(ComparisonTable::text), report.isolation_note.clone()];
    let mut output = vec![report.heading.clone()];
    output.extend(parts.into_iter().flatten());
    if report.tests.iter().all(|test| !test.hidden) {
        output.push(report.summary());
    }
    let tests = report.tests.iter().enumerate().map(|(index, test)| test_result(index + 1, test)).collect();
    Results {
        score: report.points().into(),
        execution_time: report.seconds,
        tests,
        leaderboard: table.map(leaderboard_entry).into_iter().collect(),
        ..without_tests(&output.join("\n\n"))
    }
}

/// Makes the results of a submission that could not be graded: no points, and the reason.
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

fn leaderboard_entry(table: &ComparisonTable) -> LeaderboardEntry {
    LeaderboardEntry { name: "mean accuracy, %".into(), value: table.score(), order: "desc".into() }
}

fn test_result(number: usize, test: &GradedTest) -> TestResult {
    TestResult {
        score: test.earned().into(),
        max_score: test.points.into(),
        status: if test.passed() { "passed" } else { "failed" }.into(),
        name: test.name.clone(),
        number: number.to_string(),
        output: test.text(),
        output_format: "text".into(),
        visibility: if test.hidden { "hidden" } else { "visible" }.into(),
    }
}

/// Writes the file in one step: a reader sees the old results or the new ones.
pub fn write(results: &Results, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let name = path.file_name().context("--out must name a file")?.to_string_lossy();
    let new = folder.join(format!(".{name}.new"));
    std::fs::write(&new, serde_json::to_string_pretty(results)? + "\n")
        .and_then(|()| std::fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
