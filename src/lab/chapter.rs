//! What a chapter is: a protocol, its judgement and its figures.

use super::arm::Arm;
use super::claim::Claim;
use super::evidence::Evidence;
use super::protocol::{Scale, Size};
use anyhow::Result;
use serde::Serialize;

/// The steps and the scale that an arm may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub scale: Scale,
    pub steps: u64,
}

impl Setting {
    /// For nets whose steps take longer: a tenth, but at the paper's scale all.
    pub fn fewer_steps(self) -> u64 {
        if self.scale == Scale::Paper { self.steps } else { self.steps / 10 }
    }
}

/// A chapter of the book. Its flags are what a reader can change on the command line.
pub trait Chapter: clap::Args + Serialize + Clone + 'static {
    /// `ch01`: the folder of its figures.
    const ID: &'static str;
    const TITLE: &'static str;
    /// The chapter's own source file: `file!()`.
    const SOURCE: &'static str;
    /// What is drawn from the record: the text of the TOML file beside the source, see [`crate::plot::figure`].
    const FIGURES: &'static str;

    /// Seeds and steps at each scale.
    fn size(scale: Scale) -> Size;

    /// Arms that choices (such as a learning rate) are made on, run on the pilot seeds before all others. Errors if their
    /// data cannot be read.
    fn pilots(&self, _setting: Setting) -> Result<Vec<Arm>> {
        Ok(Vec::new())
    }

    /// The arms that are judged. Errors if the pilots allow no choice.
    fn arms(&self, setting: Setting, pilots: &Evidence) -> Result<Vec<Arm>>;

    /// Whether the record keeps a trial's series or grid of this name. Trials that chapters share measure more than each shows;
    /// the rest stays in the store. Values are kept always.
    fn keeps(_arm: &str, _seed: Option<u64>, _name: &str) -> bool {
        true
    }

    /// The claims with their rules and, from the trials, their measurements.
    fn judge(&self, trials: &Evidence) -> Result<Vec<Claim>>;
}
