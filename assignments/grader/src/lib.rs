//! `cargo grade`: the grader of the book's assignments.
//!
//! ```text
//! submission ──> build ──> run, test by test ──> judge ──> report ──> terminal, results.json, classroom
//! ```
//!
//! A submission is compiled and run in a sandbox. It receives inputs; only the grader knows the expected outputs.

pub mod assignment;
pub mod builder;
pub mod call;
pub mod cases;
pub mod cli;
pub mod compare;
pub mod comparison_table;
pub mod files;
pub mod formats;
pub mod grade;
pub mod handout;
pub mod judge;
pub mod library;
pub mod package;
pub mod progress;
pub mod property;
pub mod renew;
pub mod report;
pub mod rng;
pub mod run;
pub mod sandbox;
pub mod starter;
pub mod submission;
pub mod test_inputs;
pub mod test_suite;
pub mod toolchain;
pub mod value;
pub mod vendor;
#[path = "../../harness/wire.rs"]
pub mod wire;
pub mod workspace;
