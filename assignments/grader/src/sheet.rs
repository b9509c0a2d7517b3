//! tests.json: an assignment's tests with the outputs that are expected and those of known mistakes.

use crate::files;
use crate::law::Law;
use crate::test::{Call, Expects, Test};
use crate::value::Value;
use crate::wire::Answer;
use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    pub assignment: String,
    pub tests: Vec<SheetTest>,
}

/// A `Test` on paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    pub calls: Vec<SheetCall>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetCall {
    pub function: String,
    pub arguments: Vec<Line>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Line>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
}

/// What comes out of a solution with a known mistake in it, where that is not what is expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    pub says: String,
    /// Its outputs, or the words of its panic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<Line>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A value, in the file as on the wire: JSON has neither NaN nor infinity.
#[derive(Clone, Debug)]
pub struct Line(pub Value);

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Line).map_err(serde::de::Error::custom)
    }
}

impl Sheet {
    /// With nothing expected yet.
    pub fn blank(assignment: &str, tests: Vec<Test>) -> Self {
        let call = |call: Call| SheetCall {
            function: call.function.into(),
            arguments: call.arguments.into_iter().map(Line).collect(),
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
        let values = |call: &SheetCall| call.arguments.iter().map(|line| line.0.clone()).collect();
        self.calls.iter().map(|call| (call.function.clone(), values(call))).collect()
    }
}

impl Mistake {
    pub fn new(says: &str, answer: &Answer) -> Self {
        let lines = |values: &Vec<Value>| values.iter().cloned().map(Line).collect();
        Self { says: says.into(), outputs: answer.as_ref().ok().map(lines), error: answer.as_ref().err().cloned() }
    }
}
