//! A report in the format of each reader.

pub mod classroom;
pub mod gradescope;
pub mod terminal;
