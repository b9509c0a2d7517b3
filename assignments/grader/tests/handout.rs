//! The handout, and the commands that a student runs in it.

mod common;

use common::{cargo_grade, root};
use normbook_grade::assignment::{Assignment, names};
use normbook_grade::{files, handout, test_suite::TestSuite};
use std::path::Path;

fn printed(folder: &Path, arguments: &[&str]) -> String {
    String::from_utf8(cargo_grade(folder, arguments).get_output().stdout.clone()).unwrap()
}

#[test]
fn the_starter_scores_nothing_and_the_reference_all() {
    let scratch = tempfile::tempdir().unwrap();
    let course = scratch.path().join("course");
    handout::write(&root(), &course).unwrap();
    // A6 would build the library of the book again; tests/assignments.rs grades its starter and its reference.
    for name in names(&root()).unwrap().into_iter().filter(|name| name != "a6") {
        let results = course.join("results.json");
        let both = |points: &str, score: f64| {
            let terminal = printed(&course, &[&name]);
            assert!(terminal.lines().last().unwrap().starts_with(points), "{name}: {terminal}");
            let out = results.to_string_lossy();
            cargo_grade(&course, &[&name, "--format", "gradescope", "--out", &out]).success();
            let read: serde_json::Value = serde_json::from_str(&files::read(&results).unwrap()).unwrap();
            assert_eq!(read["score"], score, "{name}");
            for test in read["tests"].as_array().unwrap() {
                let line =
                    terminal.lines().find(|line| line.contains(&format!("  {}  ", test["name"].as_str().unwrap())));
                let status = if test["status"] == "passed" { "passed" } else { "FAILED" };
                assert!(line.is_some_and(|line| line.starts_with(status)), "{name}: {test}");
            }
        };
        let reference = Assignment::open(&root(), &name).unwrap();
        let all = TestSuite::read(&reference.folder.join("tests.json")).unwrap().points();
        both(&format!("0 of {all} points; 0 of"), 0.0);
        for file in &reference.metadata.files {
            files::copy(&reference.folder.join(file), &course.join("assignments").join(&name).join(file)).unwrap();
        }
        both(&format!("{all} of {all} points"), all.into());
    }
}

#[test]
fn a_handout_holds_no_solution() {
    let scratch = tempfile::tempdir().unwrap();
    handout::write(&root(), &scratch.path().join("course")).unwrap();
    // `assignments/grader` is no assignment: its sources are handed out, its tests are not.
    let grader = files::entries(&scratch.path().join("course/assignments/grader")).unwrap();
    assert!(grader.iter().all(|path| path.ends_with("Cargo.toml") || path.ends_with("src")), "{grader:?}");
    for name in names(&root()).unwrap() {
        let folder = scratch.path().join("course/assignments").join(&name);
        assert!(!folder.join("wrong.toml").exists());
        for source in files::entries(&folder.join("src")).unwrap() {
            let text = files::read(&source).unwrap();
            assert!(!text.contains("// SOLUTION") && !text.contains("//|"), "{}", source.display());
        }
    }
}

/// Fails a test twice, which shows its hint, and resets, which keeps the old files.
#[test]
fn a_hint_comes_after_the_second_failure() {
    let course = common::small::Course::new();
    let folder = course.path();
    assert!(printed(folder, &["--list"]).contains("not graded yet"));
    let first = printed(folder, &["a0"]);
    assert!(first.contains("FAILED  0/3   double  double()") && !first.contains("Hint"), "{first}");
    assert!(printed(folder, &["a0", "--hint"]).contains("Hint: Two times."));
    assert!(printed(folder, &["a0"]).contains("Hint: Plus."));
    assert!(printed(folder, &["--list"]).contains("0 of 5 points"));
    let own = folder.join("assignments/a0/src/lib.rs");
    files::write(&own, "mine").unwrap();
    assert!(printed(folder, &["a0"]).contains("does not build"));
    assert!(printed(folder, &["a0", "--reset"]).contains("backup-1"));
    assert!(files::read(&own).unwrap().contains("todo!"));
    assert_eq!(files::read(&folder.join("assignments/a0/backup-1/lib.rs")).unwrap(), "mine");
}

#[test]
fn errors_say_what_to_do() {
    let course = common::small::Course::new();
    let says = |folder: &Path, arguments: &[&str], words: &str| {
        let run = cargo_grade(folder, arguments).failure().code(2);
        let errors = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    };
    let here = course.path();
    says(here, &["a77"], "there is no assignment \"a77\"; the assignments are a0");
    says(here, &[], "name an assignment: a0");
    says(here, &["a0", "--out", "x"], "--out is for --format gradescope");
    says(here, &["a0", "--renew"], "a handout has no reference solution");
    says(here, &["a0", "--hidden", "nothing.json"], "cannot read nothing.json");
    says(here, &["a0", "--hidden-seed", "3"], "--package");
    says(here, &["a0", "--reset", "--format", "gradescope"], "cannot be used with");
    says(here, &["--handout", "."], "already exists");
    says(&root(), &["a3", "--reset"], "holds the reference solution");
    says(&root(), &["a3", "--package", "gradescope", "--out", "x", "--hidden-seed", "0"], "0 is not in 1..");
}
