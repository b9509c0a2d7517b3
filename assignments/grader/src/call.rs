//! A call in `tests.json`: its arguments, the outputs expected of it and those of known mistakes.

use crate::compare::agree;
use crate::value::Value;
use crate::wire::Answer;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedCall {
    pub function: String,
    pub arguments: Vec<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
}

/// What a solution with a known mistake answers, where that differs from what is expected.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// The message for a student who gives the same answer.
    pub says: String,
    /// Its outputs; `error` holds the message of its panic instead if it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Mistake {
    pub fn new(says: &str, answer: &Answer) -> Self {
        Self { says: says.into(), outputs: answer.as_ref().ok().cloned(), error: answer.as_ref().err().cloned() }
    }

    /// Whether an answer is the one that this mistake gives.
    pub fn gives(&self, answer: &Answer, tolerance: f64) -> bool {
        match (answer, &self.outputs, &self.error) {
            (Ok(values), Some(outputs), _) => agree(outputs, values, tolerance),
            (Err(why), _, Some(error)) => without_place(why) == without_place(error),
            _ => false,
        }
    }
}

/// The message of a panic without its line number, which differs from solution to solution.
fn without_place(why: &str) -> &str {
    why.strip_prefix("it panicked at ").and_then(|rest| rest.split_once(": ")).map_or(why, |(_, words)| words)
}
