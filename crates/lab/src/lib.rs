//! From a chapter's protocol to a judged record, its figures and what the program prints.
//!
//! The data goes one way: a chapter states its *protocol*; the [`runner`] runs its *trials* (arm × seed), each of which
//! leaves a [`trial::Trace`]; the traces make the *record*, which is judged into *verdicts* and drawn by [`plot`]. The
//! lab knows nothing of networks: another book could use it.

#![forbid(unsafe_code)]

pub mod arm;
pub mod atomic;
pub mod book;
pub mod chapter;
pub mod checkpoint;
pub mod claim;
pub mod cli;
pub mod judgement;
pub mod plot;
pub mod protocol;
pub mod provenance;
pub mod quantity;
pub mod record;
pub mod runner;
pub mod seed;
pub mod statistics;
pub mod store;
pub mod sweep;
pub mod testing;
#[cfg(test)]
mod toy;
pub mod trial;
pub mod trials;
pub mod verdict;
pub mod words;

pub use arm::Arm;
pub use book::Book;
pub use chapter::Chapter;
pub use claim::Claim;
pub use protocol::{Protocol, Scale};
pub use quantity::{Quantity, across, reading, steps, steps_read, value};
pub use sweep::{Sweep, best_of};
pub use trials::Trials;
pub use verdict::{at_least, within};
