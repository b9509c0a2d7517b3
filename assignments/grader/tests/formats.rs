//! `results.json` and GitHub Classroom's JSON: their contents, and that they are written even if grading fails.

mod common;

use common::small::{Course, RIGHT};
use common::{cargo_grade, grader, schema};
use serde_json::Value;
use std::path::Path;

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Grades for Gradescope and checks the file against its schema.
fn results(course: &Course, arguments: &[&str]) -> Value {
    let out = course.path().join("results/results.json");
    let out_text = out.to_string_lossy();
    let arguments = [&["a0", "--format", "gradescope", "--out", &out_text], arguments].concat();
    let _ = std::fs::remove_dir_all(out.parent().unwrap());
    cargo_grade(course.path(), &arguments);
    let results = read(&out);
    let rules = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("results.schema.json"));
    assert_eq!(schema::violations(&rules, &results), Vec::<String>::new());
    results
}

#[test]
fn results_have_scores_and_hide_hidden_tests() {
    let course = Course::new();
    let folder = course.submit(RIGHT);
    let (folder, hidden) = (folder.to_string_lossy(), course.hidden());
    let public = results(&course, &["--submission", &folder]);
    assert_eq!((&public["score"], public["tests"].as_array().unwrap().len()), (&Value::from(5.0), 2));
    assert!(public["output"].as_str().unwrap().contains("5 of 5 points"));
    let all = results(&course, &["--submission", &folder, "--hidden", &hidden.to_string_lossy()]);
    assert_eq!(all["score"], 10.0);
    let seen: Vec<&str> =
        all["tests"].as_array().unwrap().iter().map(|test| test["visibility"].as_str().unwrap()).collect();
    assert_eq!(seen, ["visible", "visible", "hidden"]);
    assert!(!all["output"].as_str().unwrap().contains("points"), "students must not see the sum of hidden points");
}

#[test]
fn results_are_written_even_if_grading_fails() {
    let course = Course::new();
    let broken = course.submit("pub fn double(x: &[f64]) -> Vec<f64> { nonsense }");
    let results_of = |folder: &str| results(&course, &["--submission", folder]);
    let built = results_of(&broken.to_string_lossy());
    assert!(built["output"].as_str().unwrap().contains("src/lib.rs:1") && built["score"] == 0.0, "{built}");
    assert_eq!(built["tests"].as_array().unwrap().len(), 2);
    assert!(results_of("/there/is/no/such/folder")["output"].as_str().unwrap().contains("there is no such folder"));
    std::fs::write(course.tests(), "{").unwrap();
    let failed = results_of(&broken.to_string_lossy());
    assert!(
        failed["output"].as_str().unwrap().contains("tests.json is not a valid file of tests")
            && failed["score"] == 0.0
    );
}

#[test]
fn a_grader_that_is_killed_leaves_results_without_points() {
    let course = Course::new();
    let folder = course.submit("pub fn double(x: &[f64]) -> Vec<f64> { loop { std::hint::black_box(x); } }");
    let out = course.path().join("results.json");
    let mut process = std::process::Command::new(grader())
        .current_dir(course.path())
        // The killed grader leaves temporary files, which are removed with the course.
        .env("TMPDIR", course.path())
        .args(["a0", "--format", "gradescope", "--out"])
        .arg(&out)
        .arg("--submission")
        .arg(&folder)
        .spawn()
        .unwrap();
    while !out.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let results = read(&out);
    assert!(results["score"] == 0.0 && results["output"].as_str().unwrap().contains("before it finished"));
}

#[test]
fn classroom_reads_the_same_verdicts() {
    let course = Course::new();
    let folder = course.submit("pub fn double(x: &[f64]) -> Vec<f64> { x.to_vec() }");
    let output = course.path().join("github-output");
    let run = assert_cmd::Command::new(grader())
        .current_dir(course.path())
        .env("GITHUB_OUTPUT", &output)
        .args(["a0", "--format", "classroom", "--submission"])
        .arg(&folder)
        .assert()
        .success();
    let printed = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert_eq!(std::fs::read_to_string(&output).unwrap(), printed);
    let results: Value = serde_json::from_slice(&decoded(printed.trim().strip_prefix("result=").unwrap())).unwrap();
    assert_eq!(
        (&results["version"], &results["status"], &results["max_score"]),
        (&1.into(), &"fail".into(), &5.into())
    );
    let tests = results["tests"].as_array().unwrap();
    assert_eq!((&tests[0]["status"], &tests[0]["score"]), (&"fail".into(), &0.into()));
    assert_eq!((&tests[1]["status"], &tests[1]["score"]), (&"pass".into(), &2.into()));
}

#[test]
fn classroom_learns_that_the_grader_has_failed() {
    let course = Course::new();
    std::fs::write(course.tests(), "{").unwrap();
    let run = cargo_grade(course.path(), &["a0", "--format", "classroom"]).code(2);
    let printed = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let results: Value = serde_json::from_slice(&decoded(printed.trim().strip_prefix("result=").unwrap())).unwrap();
    assert_eq!((&results["status"], &results["tests"][0]["status"]), (&"error".into(), &"error".into()));
    assert!(results["tests"][0]["message"].as_str().unwrap().contains("tests.json is not a valid file of tests"));
}

/// Decodes base64, independently of the grader's code.
fn decoded(text: &str) -> Vec<u8> {
    let digits: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let bits = text.trim_end_matches('=').chars().flat_map(|char| {
        let value = digits.iter().position(|digit| *digit == char).unwrap();
        (0..6).rev().map(move |bit| (value >> bit & 1) as u8)
    });
    let bits: Vec<u8> = bits.collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect()
}
