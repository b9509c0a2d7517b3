//! The command line of a chapter: the same for all.

mod arguments;
mod assemble;
mod compare;
mod device;
mod execute;
pub mod parse;
mod places;
mod progress;
pub mod report;
mod rules;
mod run;
pub mod threads;

pub use run::run;
