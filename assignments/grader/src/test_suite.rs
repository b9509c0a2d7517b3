//! `tests.json`: an assignment's tests with their expected outputs and those of known mistakes.

use crate::call::ExpectedCall;
use crate::files;
use crate::property::Property;
use crate::test_inputs::{Call, Expectation, TestInputs};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestSuite {
    pub assignment: String,
    pub tests: Vec<TestCase>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCase {
    pub name: String,
    pub points: u32,
    pub asks: String,
    pub hint: String,
    /// Largest relative difference between expected and actual outputs.
    pub tolerance: f64,
    /// The property that the answers must have, if no outputs are expected.
    #[serde(rename = "law", default, skip_serializing_if = "Option::is_none")]
    pub property: Option<Property>,
    pub calls: Vec<ExpectedCall>,
}

impl TestSuite {
    /// Makes a suite that expects no outputs yet.
    pub fn without_answers(assignment: &str, tests: Vec<TestInputs>) -> Self {
        Self { assignment: assignment.into(), tests: tests.into_iter().map(TestCase::without_answers).collect() }
    }

    pub fn read(path: &Path) -> Result<Self> {
        let text = files::read(path)?;
        serde_json::from_str(&text).with_context(|| format!("{} is not a valid file of tests", path.display()))
    }

    /// Writes the suite as JSON.
    pub fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    pub fn test(&self, name: &str) -> Option<&TestCase> {
        self.tests.iter().find(|test| test.name == name)
    }

    pub fn points(&self) -> u32 {
        self.tests.iter().map(|test| test.points).sum()
    }
}

impl TestCase {
    fn without_answers(test: TestInputs) -> Self {
        let call = |call: Call| ExpectedCall {
            function: call.function.into(),
            arguments: call.arguments,
            expected: Vec::new(),
            mistakes: Vec::new(),
        };
        let (tolerance, property) = match test.expects {
            Expectation::Reference { tolerance } => (tolerance, None),
            Expectation::Property(property) => (0.0, Some(property)),
        };
        Self {
            name: test.name.into(),
            points: test.points,
            asks: test.asks.into(),
            hint: test.hint.into(),
            tolerance,
            property,
            calls: test.calls.into_iter().map(call).collect(),
        }
    }
}
