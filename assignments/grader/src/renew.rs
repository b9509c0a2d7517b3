//! Makes the tests of an assignment: draws inputs, takes the expected outputs from the reference solution and the
//! outputs of each known mistake from a wrong solution. The same pass checks that each wrong solution fails the tests
//! it must fail.

use crate::assignment::{Assignment, WrongSolution};
use crate::builder::Builder;
use crate::call::Mistake;
use crate::cases;
use crate::compare::agree;
use crate::judge::{Verdict, judge};
use crate::run::{TestRun, run_test};
use crate::submission::Sources;
use crate::test_suite::TestSuite;
use anyhow::{Context, Result, anyhow, bail};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A new test suite and the result of each wrong solution.
pub struct Renewed {
    pub suite: TestSuite,
    pub wrong_solutions: Vec<WrongSolutionResult>,
}

pub struct WrongSolutionResult {
    pub solution: WrongSolution,
    /// One for each test of the suite.
    pub verdicts: Vec<Verdict>,
}

pub fn renew(builder: &Builder, assignment: &Assignment, seed: u64) -> Result<Renewed> {
    let reference = assignment.reference()?;
    let inputs = cases::tests(&assignment.name, seed).with_context(|| format!("{} has no tests", assignment.name))?;
    let mut suite = TestSuite::without_answers(&assignment.name, inputs);
    expect_reference(builder, assignment, &reference, &mut suite)?;
    let solutions = assignment.wrong_solutions()?;
    let runs = in_parallel(&solutions, |solution| {
        let run = || run_all(builder, assignment, &solution.apply(&reference)?, &suite);
        run().with_context(|| format!("the wrong solution {}", solution.name))
    })?;
    for (solution, runs) in solutions.iter().zip(&runs) {
        add_mistakes(&mut suite, &solution.says, runs);
    }
    let judged = |(solution, runs): (WrongSolution, &Vec<TestRun>)| {
        let verdicts = judge(&suite.tests.iter().zip(runs).collect::<Vec<_>>());
        WrongSolutionResult { solution, verdicts }
    };
    let wrong_solutions = solutions.into_iter().zip(&runs).map(judged).collect();
    Ok(Renewed { suite, wrong_solutions })
}

/// Runs the reference solution and expects its outputs from now on.
fn expect_reference(
    builder: &Builder,
    assignment: &Assignment,
    reference: &Sources,
    suite: &mut TestSuite,
) -> Result<()> {
    let runs = run_all(builder, assignment, reference, suite).context("the reference solution")?;
    for (test, run) in suite.tests.iter_mut().zip(runs) {
        if let Some(end) = &run.end {
            bail!("the reference solution in {}: {end}: {}", test.name, run.printed);
        }
        for (call, answer) in test.calls.iter_mut().zip(run.answers) {
            let outputs =
                answer.map_err(|why| anyhow!("the reference solution in {} gives no answer: {why}", test.name))?;
            if test.property.is_none() {
                call.expected = outputs;
            }
        }
    }
    Ok(())
}

/// Notes the answers of a wrong solution where they differ from the expected ones. A property expects no outputs, so
/// its tests know no mistakes.
fn add_mistakes(suite: &mut TestSuite, says: &str, runs: &[TestRun]) {
    for (test, run) in suite.tests.iter_mut().zip(runs).filter(|(test, _)| test.property.is_none()) {
        for (call, answer) in test.calls.iter_mut().zip(&run.answers) {
            if !answer.as_ref().is_ok_and(|values| agree(&call.expected, values, test.tolerance)) {
                call.mistakes.push(Mistake::new(says, answer));
            }
        }
    }
}

fn run_all(builder: &Builder, assignment: &Assignment, sources: &Sources, suite: &TestSuite) -> Result<Vec<TestRun>> {
    let built = builder.build(sources, assignment)?.map_err(|message| anyhow!("does not build:\n{message}"))?;
    suite.tests.iter().map(|test| run_test(&built, test)).collect()
}

/// Gives the results in the order of the items, whichever is ready first.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = work(item);
                    done.lock().expect("no worker panics while it adds a result").push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no worker has panicked");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

impl Renewed {
    /// Draws which wrong solution (rows) fails which test (columns): `x` where it fails.
    pub fn failure_matrix(&self) -> String {
        let width = self.wrong_solutions.iter().map(|result| result.solution.name.len()).max().unwrap_or(0);
        let mut matrix = String::new();
        for (column, test) in self.suite.tests.iter().enumerate() {
            matrix += &format!("{:width$} {}{}\n", "", "| ".repeat(column), test.name);
        }
        for WrongSolutionResult { solution, verdicts } in &self.wrong_solutions {
            let cell = |verdict: &Verdict| if *verdict == Verdict::Passed { ". " } else { "x " };
            let cells: String = verdicts.iter().map(cell).collect();
            matrix += format!("{:width$} {cells}", solution.name).trim_end();
            matrix.push('\n');
        }
        matrix
    }

    /// Lists where the wrong solutions fail other tests than `wrong.toml` says, or with another message.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for WrongSolutionResult { solution, verdicts } in &self.wrong_solutions {
            let verdicts = || self.suite.tests.iter().zip(verdicts);
            let failed = verdicts().filter(|(_, verdict)| **verdict != Verdict::Passed);
            let failed: Vec<&str> = failed.map(|(test, _)| test.name.as_str()).collect();
            let mut stated: Vec<&str> = solution.fails.iter().map(String::as_str).collect();
            stated.sort_by_key(|name| self.suite.tests.iter().position(|test| test.name == *name));
            if failed != stated {
                complaints.push(format!("{}: fails {failed:?}; wrong.toml says {stated:?}", solution.name));
            }
            // The tests of a property know no mistakes.
            for (test, verdict) in verdicts().filter(|(test, _)| test.property.is_none()) {
                if let Verdict::Failed(why) = verdict
                    && why.lines().next() != Some(&solution.says)
                {
                    let (name, test) = (&solution.name, &test.name);
                    complaints.push(format!("{name}: in {test} the message is not that of wrong.toml but: {why}"));
                }
            }
        }
        complaints
    }
}
