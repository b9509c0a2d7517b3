//! The proof that the tests grade: of each assignment, the reference and every known-wrong solution.

mod common;

use common::{root, workshop};
use normbook_grade::assignment::{Assignment, names};
use normbook_grade::compare::agree;
use normbook_grade::draw::PUBLIC_SEED;
use normbook_grade::grade::{Tests, grade};
use normbook_grade::renew::renew;
use normbook_grade::sheet::Sheet;
use normbook_grade::value::Value;

/// Renews an assignment in memory: each wrong solution fails what wrong.toml says, with its own message; the starter fails all; and
/// tests.json is what comes of it.
fn grades(name: &str) {
    let assignment = Assignment::open(&root(), name).unwrap();
    let renewed = renew(&workshop(), &assignment, PUBLIC_SEED).unwrap();
    println!("{}\n\n{}", assignment.heading(), renewed.table());
    assert_eq!(renewed.complaints(), Vec::<String>::new());
    assert!(renewed.wrongs.len() >= 8, "{name} has {} wrong solutions; eight are the least", renewed.wrongs.len());
    assert_eq!(renewed.sheet.points(), 100, "the points of {name}");
    for test in &renewed.sheet.tests {
        let failing = renewed.wrongs.iter().filter(|result| result.wrong.fails.contains(&test.name)).count();
        assert!(failing > 0, "no wrong solution fails {} of {name}", test.name);
    }
    let tests = Tests::open(&assignment, None).unwrap();
    let starter = grade(&workshop(), &assignment, assignment.starter(), &tests).unwrap();
    assert!(starter.problem.is_none() && starter.passed() == 0, "the starter of {name}: {:?}", starter.problem);
    let written = tests.public;
    assert!(same(&written, &renewed.sheet), "tests.json of {name} is not what `cargo grade {name} --renew` gives");
}

/// What `--hidden-seed` may draw. For whoever changes an assignment; takes minutes.
#[test]
#[ignore = "takes minutes"]
fn other_inputs_grade_as_well() {
    let mut complaints = Vec::new();
    for name in names(&root()).unwrap() {
        let assignment = Assignment::open(&root(), &name).unwrap();
        for seed in 1..=5 {
            let found = renew(&workshop(), &assignment, seed).unwrap().complaints();
            complaints.extend(found.into_iter().map(|complaint| format!("{name}, seed {seed}: {complaint}")));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Equal, but for the last digits of outputs: another platform's exp may round in another way.
fn same(written: &Sheet, renewed: &Sheet) -> bool {
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
