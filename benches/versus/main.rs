//! Our side of `versus_pytorch.py`; `pytorch_side.py` is the other. Its nets have the same names.

mod measure;
mod peak;
mod work;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use measure::Trial;
use normbook_lab::provenance;
use normbook_ops::implementation::Implementation;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use work::Work;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Times training steps when versus_pytorch.py asks
#[derive(Parser)]
#[command(disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    question: Option<Question>,

    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Question {
    /// Writes the initial weights (`0`, `1`, ..), `inputs` and `targets` as safetensors
    Start {
        #[command(flatten)]
        work: Work,
        #[arg(long)]
        file: PathBuf,
    },
    /// For each line N on standard input: takes N steps and prints `SECONDS LOSS`, the loss of the last
    Steps {
        #[command(flatten)]
        work: Work,
        /// Threads of each trial
        #[arg(long, default_value_t = 1)]
        threads: usize,
        #[arg(long)]
        learning_rate: f64,
        /// So many nets take the steps, all at the same time
        #[arg(long, default_value_t = 1)]
        trials: usize,
    },
    /// Prints `GFLOPS GBPS` of a large matrix product and of a large copy, read and write counted
    Peak {
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Prints the machine and what this was built from, as JSON
    About,
}

fn main() -> ExitCode {
    run(Arguments::parse()).map_or_else(
        |error| {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn run(arguments: Arguments) -> Result<()> {
    match arguments.question {
        None => println!("versus: skipped; run `python benches/versus_pytorch.py`, which asks it"),
        Some(Question::About) => println!("{}", about()?),
        Some(Question::Start { work, file }) => work.write_start(&file)?,
        Some(Question::Peak { threads }) => println!("{}", peak::measure(threads)?),
        Some(Question::Steps { work, threads, learning_rate, trials }) => {
            answer((0..trials).map(|_| Trial::new(work, threads, learning_rate)).collect::<Result<_>>()?)?;
        }
    }
    Ok(())
}

/// Machine and build.
fn about() -> Result<serde_json::Value> {
    Ok(serde_json::json!({
        "cpu": provenance::cpu(),
        "instruction_set": provenance::instruction_set(),
        "normbook": env!("CARGO_PKG_VERSION"),
        "commit": provenance::commit(Path::new(env!("CARGO_MANIFEST_DIR"))),
        "kernels": Implementation::on(&candle_core::Device::Cpu)?.name(),
        "rustc": provenance::RUSTC,
        "date": provenance::today(),
    }))
}

/// Takes steps when asked, until the input ends.
fn answer(mut trials: Vec<Trial>) -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let steps: usize = line.trim().parse().with_context(|| format!("{line:?} is not a number of steps"))?;
        let began = Instant::now();
        std::thread::scope(|scope| {
            let running: Vec<_> = trials.iter_mut().map(|trial| scope.spawn(|| trial.run(steps))).collect();
            running.into_iter().try_for_each(|trial| trial.join().expect("a trial does not panic"))
        })?;
        let seconds = began.elapsed().as_secs_f64();
        println!("{seconds} {}", trials[0].loss()?);
        std::io::stdout().flush()?;
    }
    Ok(())
}
