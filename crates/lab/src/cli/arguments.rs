//! The flags that all chapters share, beside a chapter's own.

use super::parse::{self, SeedRange};
use crate::protocol::{Protocol, Scale};
use crate::runner::Shard;
use crate::{Book, Chapter};
use candle_core::Device;
use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches, Parser};
use std::path::PathBuf;

/// What the command line says.
#[derive(Parser, Clone)]
#[command(disable_version_flag = true)]
pub struct Arguments<C: Chapter> {
    /// How large a run: seconds, minutes, or the paper's own size
    #[arg(long, value_enum, default_value = "book", help_heading = "Protocol")]
    pub scale: Scale,

    /// Seeds to judge on: a number, or a range such as 10..15 [default: the scale's]
    #[arg(long, value_parser = parse::seeds, help_heading = "Protocol")]
    pub seeds: Option<SeedRange>,

    /// Steps of every trial that trains [default: the scale's]
    #[arg(long, value_parser = parse::count, help_heading = "Protocol")]
    pub steps: Option<u64>,

    #[command(flatten, next_help_heading = "This chapter")]
    pub chapter: C,

    /// Trials at a time, one thread each [default: one per core]
    #[arg(long, value_parser = parse::count, help_heading = "Running")]
    pub jobs: Option<u64>,

    /// Where tensors live: cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu", help_heading = "Running")]
    pub device: String,

    /// Run nothing: print the protocol, every claim and its rule, as they were fixed before the first run
    #[arg(long, conflicts_with_all = ["refresh", "replot", "shard"], help_heading = "Protocol")]
    pub rules: bool,

    /// Use no stored trial
    #[arg(long, help_heading = "Running")]
    pub fresh: bool,

    /// Run only part I of N of the trials; parts on several machines share the folder lab/
    #[arg(long, value_name = "I/N", value_parser = parse::shard, help_heading = "Running")]
    pub shard: Option<Shard>,

    /// Run one seed of each arm; where it equals the committed record, renew the record's fingerprint alone
    #[arg(long, conflicts_with_all = ["scale", "seeds", "steps", "shard", "replot", "out"], help_heading = "Running")]
    pub refresh: bool,

    /// Run nothing: draw the figures of the record again
    #[arg(long, conflicts_with_all = ["fresh", "shard"], help_heading = "Result")]
    pub replot: bool,

    /// Folder for record and figures [default: figures/ for the committed protocol, else a folder in lab/]
    #[arg(long, value_name = "DIR", help_heading = "Result")]
    pub out: Option<PathBuf>,

    /// Show the figures when done
    #[arg(long, help_heading = "Result")]
    pub open: bool,
}

impl<C: Chapter> Arguments<C> {
    /// The protocol that the flags ask for.
    pub fn protocol(&self) -> Protocol {
        let flags = serde_json::to_value(&self.chapter).expect("flags are plain");
        let mut protocol = Protocol { flags, ..C::protocol(self.scale) };
        if let Some(SeedRange { first, end }) = self.seeds {
            protocol.seeds = (first..end).collect();
        }
        if let Some(steps) = self.steps {
            protocol.steps = steps;
        }
        protocol
    }

    /// Trials at a time.
    pub fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.map_or_else(cores, |jobs| jobs as usize)
    }
}

/// Reads the command line; on a wrong one, prints what is allowed and exits.
pub fn parse<C: Chapter>() -> Arguments<C> {
    let matches = command::<C>().get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Whether the arguments ask for the protocol that is committed: the book scale on the CPU with its fused kernels,
/// without any flag.
pub fn is_committed<C: Chapter>(book: &Book, arguments: &Arguments<C>) -> bool {
    // Without the environment: it must not decide what is committed.
    let command = command::<C>().mut_args(|argument| argument.env(Resettable::Reset));
    let defaults = Arguments::<C>::from_arg_matches(&command.get_matches_from([C::ID])).expect("the defaults parse");
    let kernels = (book.kernels)(&Device::Cpu);
    let fused = kernels.is_ok_and(|kernels| kernels == book.committed_kernels);
    arguments.protocol() == defaults.protocol() && arguments.device == "cpu" && fused
}

fn command<C: Chapter>() -> clap::Command {
    Arguments::<C>::command().about(format!("{}: {}", C::ID, C::TITLE)).max_term_width(100).allow_negative_numbers(true)
}
