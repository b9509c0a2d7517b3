//! The command line.

use crate::assignment::{self, Assignment};
use crate::build::Workshop;
use crate::draw::PUBLIC_SEED;
use crate::formats::{classroom, gradescope, terminal};
use crate::grade::{Tests, grade};
use crate::progress::Progress;
use crate::report::Report;
use crate::sheet::Sheet;
use crate::{files, handout, package, renew, submission};
use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{Parser, ValueEnum};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Grades an assignment of the book: each test with its points, what was expected and what came.
#[derive(Parser)]
#[command(name = "cargo grade", bin_name = "cargo grade", version)]
struct Options {
    /// The assignment: a1, a2 …
    assignment: Option<String>,
    /// The folder that holds the student's src [default: the assignment's own]
    #[arg(long, value_name = "DIR")]
    submission: Option<PathBuf>,
    /// Show the hint of every test that fails, not only of those that have failed twice
    #[arg(long)]
    hint: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// The file for --format gradescope (results.json) or --package (a zip)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// All assignments and what you have reached in each
    #[arg(long, exclusive = true)]
    list: bool,
    /// Begin again: your files are kept in a folder beside src
    #[arg(long, requires = "assignment", conflicts_with = "format")]
    reset: bool,
    /// Teachers: make tests.json from the reference and the known-wrong solutions, of one assignment or of all
    #[arg(long)]
    renew: bool,
    /// Teachers: write the folder that students are given
    #[arg(long, value_name = "DIR", exclusive = true)]
    handout: Option<PathBuf>,
    /// Teachers: make the file for a grading service
    #[arg(long, value_enum, requires = "assignment", requires = "out", conflicts_with = "format")]
    package: Option<Service>,
    /// Teachers: with --package, add hidden tests with inputs drawn from this number; any but 0
    #[arg(long, value_name = "N", requires = "package")]
    hidden_seed: Option<u64>,
    /// Tests that students do not see, as a package holds them
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
        Format::Gradescope => return graded_for_gradescope(&options),
        Format::Classroom => return graded_for_classroom(&options),
        Format::Terminal => {}
    }
    let root = assignment::find_root()?;
    if options.list {
        return list(&root);
    }
    if let Some(folder) = &options.handout {
        handout::write(&root, folder)?;
        println!("The handout is in {}. In there: cargo grade --list", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    if options.renew {
        return renew_all(&root, options.assignment.as_deref());
    }
    let Some(name) = &options.assignment else {
        bail!("which assignment? There are {}; cargo grade --help says more", assignment::names(&root)?.join(", "));
    };
    let assignment = Assignment::open(&root, name)?;
    if options.reset {
        let kept = handout::reset(&assignment)?;
        println!("{} is as it was handed out. Your files are in {}.", assignment.heading(), kept.display());
        return Ok(ExitCode::SUCCESS);
    }
    if let (Some(Service::Gradescope), Some(out)) = (options.package, &options.out) {
        package::gradescope(&root, &workshop(&root)?, &assignment, options.hidden_seed, out)?;
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
    let hidden = options.hidden.as_deref().map(Sheet::read).transpose()?;
    let tests = Tests::open(assignment, hidden)?;
    let workshop = workshop(root)?;
    let folder = options.submission.as_ref().unwrap_or(&assignment.folder);
    grade(&workshop, assignment, submission::read(folder, &assignment.name), &tests)
}

fn workshop(root: &Path) -> Result<Workshop> {
    Workshop::new(root, std::env::current_exe().context("where is this program?")?)
}

fn show(assignment: &Assignment, report: &Report, options: &Options) -> Result<ExitCode> {
    let mut progress = Progress::default();
    // Progress is that of whoever works in this folder, not of a submission from elsewhere.
    if options.submission.is_none() {
        progress = Progress::read(assignment);
        progress.add(report);
        progress.write(assignment)?;
    }
    print!("{}", terminal::text(report, |test| options.hint || progress.wants_hint(&test.name)));
    Ok(if report.passed() == report.tests.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Grades for a service, which is told whatever happens, a failure of the grader among it.
fn graded_for_service(options: &Options) -> Result<Report> {
    let work = || {
        let root = assignment::find_root()?;
        let name = options.assignment.as_deref().context("which assignment?")?;
        graded(&root, &Assignment::open(&root, name)?, options)
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(anyhow!("it panicked")))
}

fn failed(error: &anyhow::Error) -> String {
    format!("The grader itself has failed: {error:#}. Please tell your teacher.")
}

/// results.json is written first with no points, then with what came of it.
fn graded_for_gradescope(options: &Options) -> Result<ExitCode> {
    let out = options.out.clone().unwrap_or_else(|| PathBuf::from("results.json"));
    gradescope::write(
        &gradescope::without_tests("The grader was ended before it had finished. Please tell your teacher."),
        &out,
    )?;
    let report = graded_for_service(options);
    let results = match &report {
        Ok(report) => gradescope::results(report),
        Err(error) => gradescope::without_tests(&failed(error)),
    };
    gradescope::write(&results, &out)?;
    report.map(|report| {
        println!("{}: {}", out.display(), report.summary());
        ExitCode::SUCCESS
    })
}

fn graded_for_classroom(options: &Options) -> Result<ExitCode> {
    ensure!(options.out.is_none(), "--out is for --format gradescope and for --package");
    let report = graded_for_service(options);
    classroom::write(&match &report {
        Ok(report) => classroom::results(report),
        Err(error) => classroom::without_tests(&failed(error)),
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
        let minutes = assignment.about.minutes;
        println!("{}  {:<40} {points:<18} about {minutes} minutes", assignment.name, assignment.about.title);
    }
    Ok(ExitCode::SUCCESS)
}

fn renew_all(root: &Path, only: Option<&str>) -> Result<ExitCode> {
    let workshop = workshop(root)?;
    let names = match only {
        Some(name) => vec![name.to_owned()],
        None => assignment::names(root)?,
    };
    let mut complaints = Vec::new();
    for name in names {
        let assignment = Assignment::open(root, &name)?;
        let renewed =
            renew::renew(&workshop, &assignment, PUBLIC_SEED).with_context(|| format!("cannot renew {name}"))?;
        let path = assignment.folder.join("tests.json");
        files::write(&path, &renewed.sheet.text()?)?;
        println!("{}\n\n{}", assignment.heading(), renewed.table());
        complaints.extend(renewed.complaints());
    }
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
