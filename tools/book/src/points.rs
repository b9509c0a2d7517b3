//! The tests of an assignment and their points, as `cargo grade` has them: `assignments/aN/tests.json`.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct TestSuite {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    name: String,
    points: u32,
    asks: String,
}

/// A table, in Markdown.
pub fn table(root: &Path, assignment: &str) -> Result<String> {
    let file = format!("assignments/{assignment}/tests.json");
    let text = std::fs::read_to_string(root.join(&file)).with_context(|| format!("cannot read {file}"))?;
    of(&text).with_context(|| format!("{file} is not what `cargo grade {assignment} --renew` writes"))
}

fn of(text: &str) -> Result<String> {
    let suite: TestSuite = serde_json::from_str(text)?;
    // On a phone a long name breaks between its words.
    let name = |test: &Test| test.name.replace('_', "_<wbr>");
    let line = |test: &Test| {
        format!("| <code>{}</code> | {} | {} |\n", name(test), test.points, test.asks.replace('|', "\\|"))
    };
    let all: u32 = suite.tests.iter().map(|test| test.points).sum();
    let lines: String = suite.tests.iter().map(line).collect();
    Ok(format!("| Test | Points | What it asks |\n|---|---|---|\n{lines}| | {all} | |\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_has_a_line_and_the_points_are_added_up() {
        let text =
            r#"{"tests": [{"name": "a_b", "points": 3, "asks": "a|b"}, {"name": "b", "points": 4, "asks": "c"}]}"#;
        let lines = "| Test | Points | What it asks |\n|---|---|---|\n| <code>a_<wbr>b</code> | 3 | a\\|b |\n| <code>b</code> | 4 | c |\n| | 7 | |\n";
        assert_eq!(of(text).unwrap(), lines);
        assert!(of("{}").is_err());
    }
}
