//! From the answers of a submission to a verdict on each test, with a message that helps the student.

use crate::call::ExpectedCall;
use crate::compare::{agree, mismatch};
use crate::comparison_table::ComparisonTable;
use crate::property::Property;
use crate::run::TestRun;
use crate::test_suite::TestCase;
use crate::value::Value;
use crate::wire::Answer;

/// The outcome of a test; a failure says why.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Passed,
    Failed(String),
}

/// Gives the verdict on each test. All tests together show which known mistake explains a failure best.
pub fn judge(tests: &[(&TestCase, &TestRun)]) -> Vec<Verdict> {
    tests.iter().map(|(test, run)| verdict(test, run, tests)).collect()
}

fn verdict(test: &TestCase, run: &TestRun, all: &[(&TestCase, &TestRun)]) -> Verdict {
    let Some(why) = failure(test, run) else { return Verdict::Passed };
    match explanation(test, run, all) {
        Some(says) => Verdict::Failed(format!("{says}\n{why}")),
        None => Verdict::Failed(why),
    }
}

/// Says what is wrong with the answers; `None` if nothing is.
fn failure(test: &TestCase, run: &TestRun) -> Option<String> {
    if run.answers.len() > test.calls.len() {
        let (answers, calls) = (run.answers.len(), test.calls.len());
        return Some(format!("{answers} answers to {calls} calls: other code than the harness wrote answers"));
    }
    let wrong = test.calls.iter().enumerate().find_map(|(index, call)| {
        let which =
            if test.calls.len() == 1 { String::new() } else { format!("call {} of {}, ", index + 1, test.calls.len()) };
        let why = match run.answers.get(index) {
            None => format!("no answer: {}", run.end.as_deref().unwrap_or("the program exited early (exit code 0)")),
            Some(Err(why)) => why.clone(),
            Some(Ok(_)) if test.property.is_some() => return None,
            Some(Ok(values)) => mismatch(&call.expected, values, test.tolerance)?,
        };
        Some(format!("{which}{}: {why}", call.function))
    });
    // All answers can be right and the program can still end abnormally.
    let abnormal_end = || run.end.as_ref().map(|end| format!("after the last answer {end}"));
    wrong.or_else(|| test.property?.violation(&test.calls, &outputs(run))).or_else(abnormal_end)
}

/// The outputs of each call that gave any.
fn outputs(run: &TestRun) -> Vec<&[Value]> {
    run.answers.iter().flatten().map(Vec::as_slice).collect()
}

/// Gives the comparison table of a test that asks for one and passes.
pub fn comparison_table(test: &TestCase, run: &TestRun) -> Option<ComparisonTable> {
    let asked = test.property == Some(Property::TableRow) && failure(test, run).is_none();
    asked.then(|| ComparisonTable::read(&test.calls, &outputs(run)).ok()).flatten()
}

/// Finds the known mistake that gives the same answers as the submission in a test. Of several, it takes the one that
/// most other tests show too.
fn explanation<'a>(test: &'a TestCase, run: &TestRun, all: &[(&TestCase, &TestRun)]) -> Option<&'a str> {
    let mut known: Vec<&str> = Vec::new();
    for mistake in test.calls.iter().flat_map(|call| &call.mistakes) {
        if !known.contains(&mistake.says.as_str()) {
            known.push(&mistake.says);
        }
    }
    let exact: Vec<&str> = known.iter().copied().filter(|says| shows(test, run, says) == Some(true)).collect();
    // With two mistakes, no single one explains every call: then take one that explains the first wrong answer.
    let candidates = if exact.is_empty() { of_first_wrong_answer(test, run) } else { exact };
    let weight = |says: &str| {
        let shown = all.iter().filter_map(|(test, run)| shows(test, run, says));
        shown.map(|found| if found { 1 } else { -1 }).sum::<i32>()
    };
    // Reversed, because `max_by_key` gives the last of several equal candidates.
    candidates.into_iter().rev().max_by_key(|says| weight(says))
}

/// Whether the answers to a test are those of a mistake; `None` if the mistake does not change them.
fn shows(test: &TestCase, run: &TestRun, says: &str) -> Option<bool> {
    let of = |call: &ExpectedCall| call.mistakes.iter().position(|mistake| mistake.says == says);
    if test.calls.iter().all(|call| of(call).is_none()) {
        return None;
    }
    let mut calls = test.calls.iter().enumerate();
    Some(calls.all(|(index, call)| match (of(call), run.answers.get(index)) {
        (Some(mistake), Some(answer)) => call.mistakes[mistake].gives(answer, test.tolerance),
        (None, Some(Ok(values))) => agree(&call.expected, values, test.tolerance),
        _ => false,
    }))
}

fn of_first_wrong_answer<'a>(test: &'a TestCase, run: &TestRun) -> Vec<&'a str> {
    let is_wrong = |(call, answer): &(&ExpectedCall, &Answer)| {
        !answer.as_ref().is_ok_and(|values: &Vec<Value>| agree(&call.expected, values, test.tolerance))
    };
    let first = test.calls.iter().zip(&run.answers).find(is_wrong);
    let same = first.map(|(call, answer)| call.mistakes.iter().filter(|mistake| mistake.gives(answer, test.tolerance)));
    same.into_iter().flatten().map(|mistake| mistake.says.as_str()).collect()
}
