//! `normbook`: what does batch normalization really do? A book whose every claim runs.
//!
//! The way of the data, one direction: a chapter states its *protocol*; the [`lab`] runs its *trials* (arm × seed) and
//! keeps each one's [`trial::Trace`]; the traces make the *record*, the record is judged into *verdicts*, drawn by
//! [`plot`] and read by the pages of the book. CONTRIBUTING.md has the map.

#![deny(unsafe_code)]

pub mod cli;
pub mod data;
pub mod lab;
pub mod net;
pub mod norm;
pub mod ops;
pub mod plot;
pub mod probe;
pub mod seed;
pub mod train;
pub mod trial;
