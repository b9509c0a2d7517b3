//! The report for GitHub Classroom's reporter: JSON in base64, as an output of a workflow's step.

use crate::report::{GradedTest, Report};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::io::Write;

/// Makes the JSON that the reporter reads.
pub fn results(report: &Report) -> Value {
    let status = if report.passed() == report.tests.len() { "pass" } else { "fail" };
    let tests: Vec<Value> = report.tests.iter().map(|test| test_json(report, test)).collect();
    json!({ "version": 1, "status": status, "max_score": report.all_points(), "tests": tests })
}

/// Makes the JSON that the reporter reads if nothing could be graded; `why` is the reason.
pub fn without_tests(why: &str) -> Value {
    let test = json!({
        "name": "the grader", "status": "error", "message": why, "test_code": "cargo grade", "line_no": 0,
        "execution_time": "0.000 s", "score": 0,
    });
    json!({ "version": 1, "status": "error", "max_score": 0, "tests": [test] })
}

fn test_json(report: &Report, test: &GradedTest) -> Value {
    let status = match (&report.problem, test.passed()) {
        (Some(_), _) => "error",
        (None, true) => "pass",
        (None, false) => "fail",
    };
    json!({
        "name": test.name,
        "status": status,
        "message": report.problem.clone().unwrap_or_else(|| test.text()),
        "test_code": format!("cargo grade {}", report.assignment),
        "line_no": 0,
        "execution_time": format!("{:.3} s", test.seconds),
        "score": test.earned(),
    })
}

/// Prints the results as `result=…` and appends them to the file that `GITHUB_OUTPUT` names.
pub fn write(results: &Value) -> Result<()> {
    let line = format!("result={}\n", base64(results.to_string().as_bytes()));
    print!("{line}");
    if let Some(path) = std::env::var_os("GITHUB_OUTPUT") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).with_context(|| {
            format!("cannot append to {}, the file that GITHUB_OUTPUT names", path.to_string_lossy())
        })?;
    }
    Ok(())
}

/// Encodes in base64 as in RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, index| bits << 8 | u32::from(group.get(index).copied().unwrap_or(0)));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize % 64;
            text.push(if digit > group.len() { '=' } else { DIGITS[value].into() });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let pairs =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (bytes, text) in pairs {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xFB, 0xFF]), "+/8=");
    }
}
