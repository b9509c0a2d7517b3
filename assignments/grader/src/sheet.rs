//! tests.json: an assignment's tests with the outputs that are expected and those of known mistakes.

use crate::call::ExpectedCall;
use crate::files;
use crate::law::Law;
use crate::test::{Call, Expects, Test};
use crate::value::Value;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    pub assignment: String,
    pub tests: Vec<SheetTest>,
}

/// A `Test` on paper.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetTest {
    pub name: String,
    pub points: u32,
    pub asks: String,
    pub hint: String,
    /// Of the expected outputs.
    pub tolerance: f64,
    /// What is asked where no outputs are expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<Law>,
    pub calls: Vec<ExpectedCall>,
}

impl Sheet {
    /// With nothing expected yet.
    pub fn blank(assignment: &str, tests: Vec<Test>) -> Self {
        let call = |call: Call| ExpectedCall {
            function: call.function.into(),
            arguments: call.arguments,
            expected: Vec::new(),
            mistakes: Vec::new(),
        };
        let test = |test: Test| {
            let (tolerance, law) = match test.expects {
                Expects::Reference { tolerance } => (tolerance, None),
                Expects::Law(law) => (0.0, Some(law)),
            };
            let (name, asks, hint) = (test.name.into(), test.asks.into(), test.hint.into());
            let calls = test.calls.into_iter().map(call).collect();
            SheetTest { name, points: test.points, asks, hint, tolerance, law, calls }
        };
        Self { assignment: assignment.into(), tests: tests.into_iter().map(test).collect() }
    }

    pub fn read(path: &Path) -> Result<Self> {
        serde_json::from_str(&files::read(path)?).with_context(|| format!("{} cannot be understood", path.display()))
    }

    pub fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    pub fn test(&self, name: &str) -> Option<&SheetTest> {
        self.tests.iter().find(|test| test.name == name)
    }

    pub fn points(&self) -> u32 {
        self.tests.iter().map(|test| test.points).sum()
    }
}

impl SheetTest {
    /// What a submission is asked: functions and arguments, nothing that is expected.
    pub fn calls(&self) -> Vec<(String, Vec<Value>)> {
        self.calls.iter().map(|call| (call.function.clone(), call.arguments.clone())).collect()
    }
}
