//! A student's progress: `.progress.json` in the folder of an assignment.

use crate::assignment::Assignment;
use crate::files;
use crate::report::Report;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The number of failures of a test after which its hint is shown.
const HINT_AFTER: u32 = 2;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    pub points: u32,
    pub all_points: u32,
    /// How often each test has failed since it last passed.
    pub failures: BTreeMap<String, u32>,
}

impl Progress {
    /// Reads the progress; no progress if there is no valid file.
    pub fn read(assignment: &Assignment) -> Self {
        let text = std::fs::read_to_string(path(assignment)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Adds a report. A submission that does not build fails no test.
    pub fn add(&mut self, report: &Report) {
        (self.points, self.all_points) = (report.points(), report.all_points());
        if report.problem.is_some() {
            return;
        }
        for test in &report.tests {
            if test.passed() {
                self.failures.remove(&test.name);
            } else {
                *self.failures.entry(test.name.clone()).or_default() += 1;
            }
        }
    }

    pub fn write(&self, assignment: &Assignment) -> Result<()> {
        files::write(&path(assignment), &(serde_json::to_string_pretty(self)? + "\n"))
    }

    pub fn wants_hint(&self, test: &str) -> bool {
        self.failures.get(test).is_some_and(|count| *count >= HINT_AFTER)
    }
}

fn path(assignment: &Assignment) -> PathBuf {
    assignment.folder.join(".progress.json")
}
