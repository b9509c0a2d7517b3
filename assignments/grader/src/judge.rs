//! From the answers of a submission to a verdict on each test, in words that help.

use crate::call::ExpectedCall;
use crate::compare::{agree, mismatch};
use crate::law::Law;
use crate::run::Ran;
use crate::sheet::SheetTest;
use crate::table::Table;
use crate::value::Value;
use crate::wire::Answer;

/// What a test came to; a failure says why.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Passed,
    Failed(String),
}

/// The verdict on each test. Which known mistake explains a failure best is seen from all tests together.
pub fn judge(tests: &[(&SheetTest, &Ran)]) -> Vec<Verdict> {
    tests.iter().map(|(test, ran)| verdict(test, ran, tests)).collect()
}

fn verdict(test: &SheetTest, ran: &Ran, all: &[(&SheetTest, &Ran)]) -> Verdict {
    let Some(what) = failure(test, ran) else { return Verdict::Passed };
    match explanation(test, ran, all) {
        Some(says) => Verdict::Failed(format!("{says}\n{what}")),
        None => Verdict::Failed(what),
    }
}

/// What is wrong with the answers; none if nothing is.
fn failure(test: &SheetTest, ran: &Ran) -> Option<String> {
    if ran.answers.len() > test.calls.len() {
        let (came, asked) = (ran.answers.len(), test.calls.len());
        return Some(format!("{came} answers came to {asked} calls: something else than the harness wrote answers"));
    }
    let wrong = test.calls.iter().enumerate().find_map(|(index, call)| {
        let which =
            if test.calls.len() == 1 { String::new() } else { format!("call {} of {}, ", index + 1, test.calls.len()) };
        let why = match ran.answers.get(index) {
            None => {
                format!("no answer: {}", ran.end.as_deref().unwrap_or("the program ended on its own (exit code 0)"))
            }
            Some(Err(why)) => why.clone(),
            Some(Ok(_)) if test.law.is_some() => return None,
            Some(Ok(values)) => mismatch(&call.expected, values, test.tolerance)?,
        };
        Some(format!("{which}{}: {why}", call.function))
    });
    // All answers are right, and then the program did not end as a program should.
    let late = || ran.end.as_ref().map(|end| format!("after the last answer {end}"));
    wrong.or_else(|| test.law?.broken(&test.calls, &values(ran))).or_else(late)
}

/// The outputs of each call that gave any.
fn values(ran: &Ran) -> Vec<&[Value]> {
    ran.answers.iter().flatten().map(Vec::as_slice).collect()
}

/// The table that came of a test, if it asks for one and passes.
pub fn table(test: &SheetTest, ran: &Ran) -> Option<Table> {
    let asked = test.law == Some(Law::Table) && failure(test, ran).is_none();
    asked.then(|| Table::read(&test.calls, &values(ran)).ok()).flatten()
}

/// The known mistake that this submission makes in a test: one that gives the same answers. Of several, the one whose traces are
/// seen in most other tests.
fn explanation<'a>(test: &'a SheetTest, ran: &Ran, all: &[(&SheetTest, &Ran)]) -> Option<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for mistake in test.calls.iter().flat_map(|call| &call.mistakes) {
        if !seen.contains(&mistake.says.as_str()) {
            seen.push(&mistake.says);
        }
    }
    let exact: Vec<&str> = seen.iter().copied().filter(|says| trace(test, ran, says) == Some(true)).collect();
    // With two mistakes in one test, no single one explains all of it: then one that explains the first wrong answer.
    let candidates = if exact.is_empty() { partial(test, ran) } else { exact };
    let weight = |says: &str| {
        let traces = all.iter().filter_map(|(test, ran)| trace(test, ran, says));
        traces.map(|found| if found { 1 } else { -1 }).sum::<i32>()
    };
    // The first of the best: `max_by_key` would give the last.
    candidates.into_iter().rev().max_by_key(|says| weight(says))
}

/// Whether the answers to a test are those of a mistake; none if the mistake makes no difference to the test.
fn trace(test: &SheetTest, ran: &Ran, says: &str) -> Option<bool> {
    let of = |call: &ExpectedCall| call.mistakes.iter().position(|mistake| mistake.says == says);
    if test.calls.iter().all(|call| of(call).is_none()) {
        return None;
    }
    let mut calls = test.calls.iter().enumerate();
    Some(calls.all(|(index, call)| match (of(call), ran.answers.get(index)) {
        (Some(mistake), Some(answer)) => call.mistakes[mistake].gives(answer, test.tolerance),
        (None, Some(Ok(values))) => agree(&call.expected, values, test.tolerance),
        _ => false,
    }))
}

fn partial<'a>(test: &'a SheetTest, ran: &Ran) -> Vec<&'a str> {
    let is_wrong = |(call, answer): &(&ExpectedCall, &Answer)| {
        !answer.as_ref().is_ok_and(|values: &Vec<Value>| agree(&call.expected, values, test.tolerance))
    };
    let first = test.calls.iter().zip(&ran.answers).find(is_wrong);
    let same = first.map(|(call, answer)| call.mistakes.iter().filter(|mistake| mistake.gives(answer, test.tolerance)));
    same.into_iter().flatten().map(|mistake| mistake.says.as_str()).collect()
}
