//! Checks the tests of each assignment on the reference, the starter and every known-wrong solution.

mod common;

use common::{builder, root};
use normbook_grade::assignment::{Assignment, names};
use normbook_grade::compare::agree;
use normbook_grade::grade::{TestSuites, grade};
use normbook_grade::renew::renew;
use normbook_grade::rng::PUBLIC_SEED;
use normbook_grade::test_suite::TestSuite;
use normbook_grade::value::Value;

/// Renews an assignment in memory. Each wrong solution fails the tests that `wrong.toml` names, with its own message;
/// the starter fails all tests; `tests.json` is up to date.
fn grades(name: &str) {
    let assignment = Assignment::open(&root(), name).unwrap();
    let renewed = renew(&builder(), &assignment, PUBLIC_SEED).unwrap();
    println!("{}\n\n{}", assignment.heading(), renewed.failure_matrix());
    assert_eq!(renewed.complaints(), Vec::<String>::new());
    let wrong = &renewed.wrong_solutions;
    assert!(wrong.len() >= 8, "{name} has {} wrong solutions and needs 8", wrong.len());
    assert_eq!(renewed.suite.points(), 100, "the points of {name}");
    for test in &renewed.suite.tests {
        let failing = wrong.iter().filter(|result| result.solution.fails.contains(&test.name)).count();
        assert!(failing > 0, "no wrong solution fails {} of {name}", test.name);
    }
    let suites = TestSuites::open(&assignment, None).unwrap();
    let starter = grade(&builder(), &assignment, assignment.starter(), &suites).unwrap();
    assert!(starter.problem.is_none() && starter.passed() == 0, "the starter of {name}: {:?}", starter.problem);
    let written = suites.public;
    assert!(same(&written, &renewed.suite), "tests.json of {name} is not what `cargo grade {name} --renew` gives");
}

/// Checks other seeds, as `--hidden-seed` draws them. Run it after a change of an assignment.
#[test]
#[ignore = "takes minutes"]
fn other_inputs_grade_as_well() {
    let mut complaints = Vec::new();
    for name in names(&root()).unwrap() {
        let assignment = Assignment::open(&root(), &name).unwrap();
        for seed in 1..=5 {
            let found = renew(&builder(), &assignment, seed).unwrap().complaints();
            complaints.extend(found.into_iter().map(|complaint| format!("{name}, seed {seed}: {complaint}")));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Whether two suites are equal up to the last digits of outputs, because exp rounds differently on other platforms.
fn same(written: &TestSuite, renewed: &TestSuite) -> bool {
    let mut copy = written.clone();
    let pairs = copy.tests.iter_mut().zip(&renewed.tests);
    for (call, new) in pairs.flat_map(|(test, new)| test.calls.iter_mut().zip(&new.calls)) {
        take_if_close(&mut call.expected, &new.expected);
        for (mistake, new) in call.mistakes.iter_mut().zip(&new.mistakes) {
            if let (Some(outputs), Some(new)) = (&mut mistake.outputs, &new.outputs) {
                take_if_close(outputs, new);
            }
        }
    }
    copy.text().unwrap() == renewed.text().unwrap()
}

fn take_if_close(old: &mut Vec<Value>, new: &[Value]) {
    if agree(old, new, 1e-7) {
        *old = new.to_vec();
    }
}

#[test]
fn a1_grades() {
    grades("a1");
}

#[test]
fn a2_grades() {
    grades("a2");
}

#[test]
fn a3_grades() {
    grades("a3");
}

#[test]
fn a4_grades() {
    grades("a4");
}

#[test]
fn a5_grades() {
    grades("a5");
}

#[test]
fn a6_grades() {
    grades("a6");
}
