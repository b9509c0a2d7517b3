//! The command line.

use crate::assignment::{self, Assignment};
use crate::builder::Builder;
use crate::formats::{classroom, gradescope, terminal};
use crate::grade::{TestSuites, grade};
use crate::progress::Progress;
use crate::report::Report;
use crate::rng::PUBLIC_SEED;
use crate::test_suite::TestSuite;
use crate::{files, handout, package, renew, submission};
use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{Parser, ValueEnum, value_parser};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Grades an assignment of the book: shows for each test its points, the expected and the actual output
#[derive(Parser)]
#[command(name = "cargo grade", bin_name = "cargo grade", version)]
struct Options {
    /// The assignment: a1, a2 …
    assignment: Option<String>,
    /// Grade the folder that holds the student's src [default: the assignment's own folder]
    #[arg(long, value_name = "DIR")]
    submission: Option<PathBuf>,
    /// Show the hint of every test that fails, not only of those that have failed twice
    #[arg(long)]
    hint: bool,
    /// Report to the terminal, or in the format of a grading service
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Write to this file: results.json for --format gradescope, a zip archive for --package
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// List all assignments and your points
    #[arg(long, exclusive = true)]
    list: bool,
    /// Start again: restore the starter and keep your files in a folder next to src
    #[arg(long, requires = "assignment", conflicts_with = "format")]
    reset: bool,
    /// Teachers: write tests.json from the reference and the known-wrong solutions, of one assignment or of all
    #[arg(long)]
    renew: bool,
    /// Teachers: write the folder that students are given
    #[arg(long, value_name = "DIR", exclusive = true)]
    handout: Option<PathBuf>,
    /// Teachers: write the autograder for a grading service
    #[arg(long, value_enum, requires = "assignment", requires = "out", conflicts_with = "format")]
    package: Option<Service>,
    /// Teachers: with --package, add hidden tests, whose inputs are drawn from this number (at least 1)
    #[arg(long, value_name = "N", requires = "package", value_parser = value_parser!(u64).range(PUBLIC_SEED + 1..))]
    hidden_seed: Option<u64>,
    /// Grade with hidden tests too: the hidden.json of a package
    #[arg(long, value_name = "FILE", requires = "assignment")]
    hidden: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Terminal,
    Gradescope,
    Classroom,
}

#[derive(Clone, Copy, ValueEnum)]
enum Service {
    Gradescope,
}

pub fn run() -> Result<ExitCode> {
    let options = Options::parse();
    match options.format {
        Format::Gradescope => return grade_for_gradescope(&options),
        Format::Classroom => return grade_for_classroom(&options),
        Format::Terminal => {}
    }
    let root = assignment::find_root()?;
    if options.list {
        return list(&root);
    }
    if let Some(folder) = &options.handout {
        handout::write(&root, folder)?;
        println!("The handout is in {0}. Try it there: cd {0} && cargo grade --list", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    if options.renew {
        return renew_all(&root, options.assignment.as_deref());
    }
    let Some(name) = &options.assignment else {
        bail!("name an assignment: {}; see cargo grade --help", assignment::names(&root)?.join(", "));
    };
    let assignment = Assignment::open(&root, name)?;
    if options.reset {
        let kept = handout::reset(&assignment)?;
        println!("{} is as it was handed out. Your files are in {}.", assignment.heading(), kept.display());
        return Ok(ExitCode::SUCCESS);
    }
    if let (Some(Service::Gradescope), Some(out)) = (options.package, &options.out) {
        package::gradescope(&root, &builder(&root)?, &assignment, options.hidden_seed, out)?;
        println!("{}: upload it as the autograder of an assignment on Gradescope.", out.display());
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(options.out.is_none(), "--out is for --format gradescope and for --package");
    let report = graded(&root, &assignment, &options)?;
    show(&assignment, &report, &options)
}

fn graded(root: &Path, assignment: &Assignment, options: &Options) -> Result<Report> {
    if let Some(folder) = &options.submission {
        ensure!(folder.is_dir(), "--submission {}: there is no such folder", folder.display());
    }
    let hidden = options.hidden.as_deref().map(TestSuite::read).transpose()?;
    let suites = TestSuites::open(assignment, hidden)?;
    let folder = options.submission.as_ref().unwrap_or(&assignment.folder);
    grade(&builder(root)?, assignment, submission::read(folder, &assignment.name), &suites)
}

fn builder(root: &Path) -> Result<Builder> {
    Builder::new(root, std::env::current_exe().context("cannot find the grader's own program")?)
}

fn show(assignment: &Assignment, report: &Report, options: &Options) -> Result<ExitCode> {
    let mut progress = Progress::default();
    // Progress belongs to the student who works in this folder, not to a submission from elsewhere.
    if options.submission.is_none() {
        progress = Progress::read(assignment);
        progress.add(report);
        progress.write(assignment)?;
    }
    print!("{}", terminal::text(report, |test| options.hint || progress.wants_hint(&test.name)));
    Ok(if report.passed() == report.tests.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Grades for a service. Every failure of the grader becomes an error, which the service is told.
fn grade_for_service(options: &Options) -> Result<Report> {
    let work = || {
        let root = assignment::find_root()?;
        let name = options.assignment.as_deref().context("name an assignment")?;
        graded(&root, &Assignment::open(&root, name)?, options)
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(anyhow!("it panicked")))
}

fn failure(error: &anyhow::Error) -> String {
    format!("The grader itself failed: {error:#}. Please tell your teacher.")
}

/// Writes `results.json` without points first, in case the grader is killed, and then with the report.
fn grade_for_gradescope(options: &Options) -> Result<ExitCode> {
    let out = options.out.clone().unwrap_or_else(|| PathBuf::from("results.json"));
    let unfinished = "The grader was ended before it finished. Please tell your teacher.";
    gradescope::write(&gradescope::without_tests(unfinished), &out)?;
    let report = grade_for_service(options);
    let results = match &report {
        Ok(report) => gradescope::results(report),
        Err(error) => gradescope::without_tests(&failure(error)),
    };
    gradescope::write(&results, &out)?;
    report.map(|report| {
        println!("{}: {}", out.display(), report.summary());
        ExitCode::SUCCESS
    })
}

fn grade_for_classroom(options: &Options) -> Result<ExitCode> {
    ensure!(options.out.is_none(), "--out is for --format gradescope and for --package");
    let report = grade_for_service(options);
    classroom::write(&match &report {
        Ok(report) => classroom::results(report),
        Err(error) => classroom::without_tests(&failure(error)),
    })?;
    report.map(|_| ExitCode::SUCCESS)
}

fn list(root: &Path) -> Result<ExitCode> {
    for name in assignment::names(root)? {
        let assignment = Assignment::open(root, &name)?;
        let progress = Progress::read(&assignment);
        let points = match progress.all_points {
            0 => "not graded yet".to_owned(),
            all => format!("{} of {all} points", progress.points),
        };
        let metadata = &assignment.metadata;
        println!("{}  {:<40} {points:<18} about {} minutes", assignment.name, metadata.title, metadata.minutes);
    }
    Ok(ExitCode::SUCCESS)
}

fn renew_all(root: &Path, only: Option<&str>) -> Result<ExitCode> {
    let builder = builder(root)?;
    let names = match only {
        Some(name) => vec![name.to_owned()],
        None => assignment::names(root)?,
    };
    let mut complaints = Vec::new();
    for name in names {
        let assignment = Assignment::open(root, &name)?;
        let renewed =
            renew::renew(&builder, &assignment, PUBLIC_SEED).with_context(|| format!("cannot renew {name}"))?;
        files::write(&assignment.folder.join("tests.json"), &renewed.suite.text()?)?;
        println!("{}\n\n{}", assignment.heading(), renewed.failure_matrix());
        complaints.extend(renewed.complaints());
    }
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
