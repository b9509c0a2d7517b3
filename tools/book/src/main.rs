//! `cargo book`: checks the evidence, re-runs what is missing or stale, fills the pages with it and builds the HTML.
//! `cargo book preprocess` is what mdBook calls, so that `mdbook serve book` shows the same pages.

mod builder;
mod check;
mod costs;
mod evidence;
mod ledger;
mod math;
mod page;
mod points;
mod preprocess;
mod readme;
mod render;
mod rerun;
mod sealed;
mod slides;
mod speed;
mod timings;
mod typed;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use normbook_fingerprint::find_root;
use normbook_lab::cli::report;
use std::process::ExitCode;

/// Builds the book from its evidence
#[derive(Parser)]
#[command(disable_version_flag = true)]
struct Arguments {
    /// Build nothing; fail with a list if evidence is stale, missing or unreferenced
    #[arg(long, conflicts_with_all = ["rerun", "refresh", "open"])]
    check: bool,

    /// Run these chapters (none named: all) even if their evidence is fresh
    #[arg(long, value_name = "CHAPTER", num_args = 0..)]
    rerun: Option<Vec<String>>,

    /// Where one seed of each arm still gives what is recorded, renew the fingerprint alone
    #[arg(long)]
    refresh: bool,

    /// Show the book in the browser
    #[arg(long)]
    open: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// What mdBook calls: reads the book from standard input, writes it filled to standard output
    Preprocess {
        #[command(subcommand)]
        question: Option<Question>,
    },
}

#[derive(Subcommand)]
enum Question {
    /// Whether a renderer is supported
    Supports { renderer: String },
}

fn main() -> ExitCode {
    run(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let root = find_root(env!("CARGO_MANIFEST_DIR"))?;
    match arguments.command {
        Some(Command::Preprocess { question: Some(Question::Supports { renderer }) }) => {
            return Ok(if renderer == "html" { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(Command::Preprocess { question: None }) => return preprocess::answer(&root).map(|()| ExitCode::SUCCESS),
        None => {}
    }
    if arguments.check {
        return check::check(&root);
    }
    rerun::renew(&root, arguments.rerun.as_deref(), arguments.refresh)?;
    let index = builder::build(&root)?;
    report::print(&format!("{}\n{}\n", ledger::text(&evidence::read(&root)?), index.display()))?;
    if arguments.open {
        opener::open_browser(&index).context("--open: no browser was found")?;
    }
    Ok(ExitCode::SUCCESS)
}
