//! `cargo grade`: the grader of the book's assignments.
//!
//! ```text
//! submission ──> build ──> run, test by test ──> judge ──> report ──> terminal, results.json, classroom
//! ```
//!
//! A submission is built and run by `contain`; it is told inputs, and only the grader knows what is expected.

pub mod assignment;
pub mod build;
pub mod call;
pub mod cases;
pub mod cli;
pub mod compare;
pub mod contain;
pub mod draw;
pub mod files;
pub mod formats;
pub mod grade;
pub mod handout;
pub mod judge;
pub mod law;
pub mod library;
pub mod package;
pub mod progress;
pub mod renew;
pub mod report;
pub mod run;
pub mod sheet;
pub mod starter;
pub mod submission;
pub mod table;
pub mod test;
pub mod toolchain;
pub mod value;
pub mod vendor;
#[path = "../../harness/wire.rs"]
pub mod wire;
pub mod workspace;
pub mod zip;
