//! Grades a submission: reads it, builds it, runs it test by test and judges the answers.

use crate::assignment::Assignment;
use crate::builder::Builder;
use crate::judge::{Verdict, comparison_table, judge};
use crate::report::{GradedTest, Report, plain};
use crate::run::{TestRun, run_test};
use crate::sandbox::Isolation;
use crate::submission::Sources;
use crate::test_suite::{TestCase, TestSuite};
use anyhow::{Result, ensure};
use std::time::Instant;

/// The longest message about a test, in characters.
const MAX_MESSAGE: usize = 2000;

/// The tests of an assignment, and those that students do not see.
pub struct TestSuites {
    pub public: TestSuite,
    pub hidden: Option<TestSuite>,
}

impl TestSuites {
    /// Reads the public tests, which lie in the folder of the assignment.
    pub fn open(assignment: &Assignment, hidden: Option<TestSuite>) -> Result<Self> {
        let public = TestSuite::read(&assignment.folder.join("tests.json"))?;
        for suite in std::iter::once(&public).chain(&hidden) {
            let (wanted, found) = (&assignment.name, &suite.assignment);
            ensure!(wanted == found, "cannot grade {wanted} with these tests: they are those of {found}");
        }
        Ok(Self { public, hidden })
    }

    /// All tests, each with whether it is hidden.
    fn all(&self) -> impl Iterator<Item = (&TestCase, bool)> {
        let hidden = self.hidden.iter().flat_map(|suite| &suite.tests);
        self.public.tests.iter().map(|test| (test, false)).chain(hidden.map(|test| (test, true)))
    }
}

/// Grades a submission. The report says what is wrong with the submission; an error is the grader's own.
pub fn grade(
    builder: &Builder,
    assignment: &Assignment,
    submission: Result<Sources>,
    suites: &TestSuites,
) -> Result<Report> {
    let start = Instant::now();
    let complete = submission.and_then(|sources| assignment.with_given_files(sources));
    let mut report = match complete {
        Err(problem) => not_run(assignment, suites, &format!("{problem:#}")),
        Ok(sources) => match builder.build(&sources, assignment)? {
            Err(message) => not_run(assignment, suites, &format!("The submission does not build.\n{message}")),
            Ok(built) => {
                let runs: Result<Vec<TestRun>> = suites.all().map(|(test, _)| run_test(&built, test)).collect();
                judged(assignment, suites, &runs?)
            }
        },
    };
    report.isolation_note = Isolation::detect(&builder.toolchain.folder).missing();
    report.seconds = start.elapsed().as_secs_f64();
    Ok(report)
}

/// Reports a submission that was not run: every test fails.
fn not_run(assignment: &Assignment, suites: &TestSuites, problem: &str) -> Report {
    let graded = |(test, hidden)| graded(test, hidden, Verdict::Failed("not run".into()), "", 0.0);
    report(assignment, Some(plain(problem)), suites.all().map(graded).collect())
}

fn judged(assignment: &Assignment, suites: &TestSuites, runs: &[TestRun]) -> Report {
    let pairs: Vec<(&TestCase, &TestRun)> = suites.all().map(|(test, _)| test).zip(runs).collect();
    let verdicts = judge(&pairs).into_iter().zip(suites.all()).zip(runs);
    let graded =
        verdicts.map(|((verdict, (test, hidden)), run)| graded(test, hidden, verdict, &run.printed, run.seconds));
    let mut report = report(assignment, None, graded.collect());
    report.table = pairs.iter().find_map(|(test, run)| comparison_table(test, run));
    report
}

fn graded(test: &TestCase, hidden: bool, verdict: Verdict, printed: &str, seconds: f64) -> GradedTest {
    let verdict = match verdict {
        Verdict::Passed => Verdict::Passed,
        // The message may quote the submission's own panic.
        Verdict::Failed(why) => Verdict::Failed(plain(&why).chars().take(MAX_MESSAGE).collect()),
    };
    GradedTest {
        name: if hidden { format!("{}, other inputs", test.name) } else { test.name.clone() },
        points: test.points,
        asks: test.asks.clone(),
        hint: test.hint.clone(),
        hidden,
        verdict,
        printed: printed.to_owned(),
        seconds,
    }
}

fn report(assignment: &Assignment, problem: Option<String>, tests: Vec<GradedTest>) -> Report {
    let (name, heading) = (assignment.name.clone(), assignment.heading());
    Report { assignment: name, heading, problem, tests, table: None, isolation_note: None, seconds: 0.0 }
}
