//! From a chapter's protocol to a judged record.

pub mod arm;
pub mod chapter;
pub mod claim;
pub mod evidence;
pub mod halfway;
pub mod protocol;
pub mod provenance;
pub mod record;
pub mod runner;
pub mod statistics;
pub mod store;
pub mod sweep;
pub mod verdict;

pub use arm::Arm;
pub use chapter::{Chapter, Setting};
pub use claim::Claim;
pub use evidence::Evidence;
pub use protocol::{Scale, Size};
pub use sweep::{Sweep, best_of};
pub use verdict::{at_least, within};
