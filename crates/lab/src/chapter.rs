//! What a chapter is: a protocol, its claims and its figures.

use crate::arm::Arm;
use crate::claim::Claim;
use crate::protocol::{Protocol, Scale};
use crate::trials::Trials;
use anyhow::Result;
use serde::Serialize;

/// A chapter of the book. Its flags are what a reader can change on the command line.
pub trait Chapter: clap::Args + Serialize + Clone + 'static {
    /// `ch01`: the folder of its figures.
    const ID: &'static str;
    const TITLE: &'static str;
    /// The chapter's own source file: `file!()`.
    const SOURCE: &'static str;
    /// What is said of its claims: the text of `claims.toml`, see [`crate::words`].
    const WORDS: &'static str;
    /// What is drawn from the record: the text of `figures.toml`, see [`crate::plot::figure`].
    const FIGURES: &'static str;

    /// Seeds and steps at a scale.
    fn protocol(scale: Scale) -> Protocol;

    /// Arms that choices (such as a learning rate) are made on, run on the pilot seeds before all others. Errors if
    /// their data cannot be read.
    fn pilots(&self, _protocol: &Protocol) -> Result<Vec<Arm>> {
        Ok(Vec::new())
    }

    /// The arms that are judged. Errors if the pilots allow no choice.
    fn arms(&self, protocol: &Protocol, pilots: &Trials) -> Result<Vec<Arm>>;

    /// The claims with their rules, stated before anything runs.
    fn claims(&self) -> Vec<Claim>;

    /// Whether the record keeps a trial's series or grid of this name. Trials that chapters share measure more than
    /// each shows; the rest stays in the store. Values are kept always.
    fn record_filter(_arm: &str, _seed: Option<u64>, _name: &str) -> bool {
        true
    }
}
