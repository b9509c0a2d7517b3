//! The way of a submission: taken, built, run test by test, judged.

use crate::assignment::Assignment;
use crate::build::Workshop;
use crate::contain::Walls;
use crate::judge::{Verdict, judge, table};
use crate::report::{Graded, Report, plain};
use crate::run::{Ran, run_test};
use crate::sheet::{Sheet, SheetTest};
use crate::submission::Sources;
use anyhow::{Result, ensure};
use std::time::Instant;

/// The tests of an assignment, and those of them that students do not see.
pub struct Tests {
    pub public: Sheet,
    pub hidden: Option<Sheet>,
}

impl Tests {
    /// Those that lie beside the assignment.
    pub fn open(assignment: &Assignment, hidden: Option<Sheet>) -> Result<Self> {
        let public = Sheet::read(&assignment.folder.join("tests.json"))?;
        for sheet in std::iter::once(&public).chain(&hidden) {
            let (is, of) = (&assignment.name, &sheet.assignment);
            ensure!(is == of, "these are tests of {of}, and {is} is to be graded");
        }
        Ok(Self { public, hidden })
    }

    fn all(&self) -> impl Iterator<Item = (&SheetTest, bool)> {
        let hidden = self.hidden.iter().flat_map(|sheet| &sheet.tests);
        self.public.tests.iter().map(|test| (test, false)).chain(hidden.map(|test| (test, true)))
    }
}

/// Grades a submission. What is wrong with it is part of the report; an error is the grader's own.
pub fn grade(
    workshop: &Workshop,
    assignment: &Assignment,
    submission: Result<Sources>,
    tests: &Tests,
) -> Result<Report> {
    let start = Instant::now();
    let complete = submission.and_then(|sources| assignment.with_given_files(sources));
    let mut report = match complete {
        Err(problem) => not_run(assignment, tests, &format!("{problem:#}")),
        Ok(sources) => match workshop.build(&sources, assignment)? {
            Err(words) => not_run(assignment, tests, &format!("The submission does not build.\n{words}")),
            Ok(built) => {
                let runs: Result<Vec<Ran>> = tests.all().map(|(test, _)| run_test(&built, test)).collect();
                judged(assignment, tests, &runs?)
            }
        },
    };
    report.note = Walls::around(&workshop.toolchain.folder).missing();
    report.seconds = start.elapsed().as_secs_f64();
    Ok(report)
}

/// No points for anything.
pub fn not_run(assignment: &Assignment, tests: &Tests, problem: &str) -> Report {
    let graded = |(test, hidden)| graded(test, hidden, Verdict::Failed("not run".into()), "", 0.0);
    report(assignment, Some(plain(problem)), tests.all().map(graded).collect())
}

fn judged(assignment: &Assignment, tests: &Tests, runs: &[Ran]) -> Report {
    let pairs: Vec<(&SheetTest, &Ran)> = tests.all().map(|(test, _)| test).zip(runs).collect();
    let verdicts = judge(&pairs).into_iter().zip(tests.all()).zip(runs);
    let graded =
        verdicts.map(|((verdict, (test, hidden)), ran)| graded(test, hidden, verdict, &ran.printed, ran.seconds));
    let mut report = report(assignment, None, graded.collect());
    report.table = pairs.iter().find_map(|(test, ran)| table(test, ran));
    report
}

fn graded(test: &SheetTest, hidden: bool, verdict: Verdict, printed: &str, seconds: f64) -> Graded {
    let verdict = match verdict {
        Verdict::Passed => Verdict::Passed,
        // A panic's words are the submission's.
        Verdict::Failed(why) => Verdict::Failed(plain(&why).chars().take(2000).collect()),
    };
    Graded {
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

fn report(assignment: &Assignment, problem: Option<String>, tests: Vec<Graded>) -> Report {
    let (name, heading) = (assignment.name.clone(), assignment.heading());
    Report { assignment: name, heading, problem, tests, table: None, note: None, seconds: 0.0 }
}
