//! Normalization layers of your own: one entry in [`OWN`] gives a layer a name on every command line, as in
//! `--norm NAME`.
//!
//! [`super::mean_size`] is the example: write yours in a file next to it, declare the file in `norm/mod.rs`, and add
//! the entry. The file is then part of the fingerprint of every trial that could use it.

use super::{Norm, mean_size::MeanSize};
use candle_core::{DType, Device, Result};
use serde::{Serialize, Serializer};
use std::fmt;

/// A layer by name.
#[derive(Clone, Copy)]
pub struct Own {
    /// As on the command line and in records. Stored trials are keyed by it: one name, one layer.
    pub name: &'static str,
    /// Builds the layer for this number of channels.
    pub build: fn(usize, DType, &Device) -> Result<Box<dyn Norm>>,
}

// ANCHOR: own
/// All of them.
pub const OWN: &[Own] = &[Own {
    name: "mean-size",
    build: |channels, dtype, device| Ok(Box::new(MeanSize::new(channels, dtype, device)?)),
}];
// ANCHOR_END: own

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
