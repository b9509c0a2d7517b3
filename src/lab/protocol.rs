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

/// The part of a protocol that the chapters have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    pub scale: Scale,
    /// The seeds that claims are judged on.
    pub seeds: Vec<u64>,
    /// The seeds that choices are made on.
    pub pilot_seeds: Vec<u64>,
    /// Steps of every trial that trains.
    pub steps: u64,
    /// The chapter's own flags.
    pub flags: Value,
}

impl Protocol {
    /// Whether its claims get verdicts: not at the smoke scale, and not on seeds that choices were made on.
    pub fn may_judge(&self) -> bool {
        self.scale != Scale::Smoke && self.seeds.iter().all(|seed| *seed < FIRST_PILOT_SEED)
    }
}

/// Seeds, pilot seeds and steps of one scale.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub seeds: u64,
    pub pilot_seeds: u64,
    pub steps: u64,
}

impl Size {
    /// The protocol of this size at `scale`.
    pub fn protocol(self, scale: Scale, flags: Value) -> Protocol {
        Protocol {
            scale,
            seeds: (0..self.seeds).collect(),
            pilot_seeds: (FIRST_PILOT_SEED..FIRST_PILOT_SEED + self.pilot_seeds).collect(),
            steps: self.steps,
            flags,
        }
    }
}
