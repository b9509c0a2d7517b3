//! What is run: scale, seeds, steps and the reader's flags.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Seconds: shows that the code runs; no verdict.
    Smoke,
    /// Minutes on two cores: what is committed.
    Book,
    /// The paper's own size.
    Paper,
}

/// The first seed for pilots: grids are chosen on these and judged on others.
pub const FIRST_PILOT_SEED: u64 = 1000;

/// What a chapter runs, and what its arms may depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    pub scale: Scale,
    /// The seeds that claims are judged on.
    pub seeds: Vec<u64>,
    /// The seeds that choices are made on.
    pub pilot_seeds: Vec<u64>,
    /// Steps of every trial that trains.
    pub steps: u64,
    /// The chapter's own flags; the command line fills them in.
    pub flags: Value,
}

impl Protocol {
    /// Makes a protocol of so many judged seeds and no pilots.
    pub fn new(scale: Scale, seeds: u64, steps: u64) -> Self {
        Self { scale, seeds: (0..seeds).collect(), pilot_seeds: Vec::new(), steps, flags: Value::Null }
    }

    /// Adds pilots on so many seeds.
    pub fn with_pilots(self, seeds: u64) -> Self {
        Self { pilot_seeds: (FIRST_PILOT_SEED..FIRST_PILOT_SEED + seeds).collect(), ..self }
    }

    /// Whether its claims get verdicts: not at the smoke scale, and not on seeds that choices were made on.
    pub fn may_judge(&self) -> bool {
        self.scale != Scale::Smoke && self.seeds.iter().all(|seed| *seed < FIRST_PILOT_SEED)
    }

    /// The steps of networks whose steps take longer: a tenth, but at the paper's scale all.
    pub fn fewer_steps(&self) -> u64 {
        if self.scale == Scale::Paper { self.steps } else { self.steps / 10 }
    }
}
