//! What the lab cannot know of the book whose chapter it runs.

use anyhow::Result;
use candle_core::Device;
use normbook_fingerprint::Sources;

/// The book around a chapter's program.
pub struct Book {
    /// The version that records name.
    pub version: &'static str,
    /// The folder of the repository that the program was built from.
    pub root: &'static str,
    /// The code that the program was compiled from.
    pub sources: Sources,
    /// Names the kernels that compute on a device.
    pub kernels: fn(&Device) -> Result<&'static str>,
    /// The kernels that committed evidence is made with.
    pub committed_kernels: &'static str,
}
