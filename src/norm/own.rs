//! Norms of your own: one line in [`OWN`] gives a norm a name on every command line, as in `--norm NAME`.
//!
//! [`super::mean_size`] is the example, in 40 lines: write yours in a file beside it, declare the file in `norm/mod.rs`, and add
//! the line. The file is then part of the fingerprint of every trial that could use it.

use super::{Norm, mean_size::MeanSize};
use candle_core::{DType, Device, Result};
use serde::{Serialize, Serializer};
use std::fmt;

/// A norm by name.
#[derive(Clone, Copy)]
pub struct Own {
    /// As on the command line and in records; no other norm's name, and the same norm wherever it is used.
    pub name: &'static str,
    /// The layer for so many channels.
    pub build: fn(usize, DType, &Device) -> Result<Box<dyn Norm>>,
}

/// All of them.
pub const OWN: &[Own] = &[Own {
    name: "mean-size",
    build: |channels, dtype, device| Ok(Box::new(MeanSize::new(channels, dtype, device)?)),
}];

impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Serialize for Own {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}
