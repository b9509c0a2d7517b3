//! Files of measurements carry a digest of themselves and the version of their layout.

use anyhow::{Result, ensure};
use normbook_fingerprint::digest;

/// Errors if a file's text was changed by hand, or is of another version than this program reads.
pub fn check(text: &str, seal: &str, schema: u32, known: u32) -> Result<()> {
    ensure!(schema == known, "its schema is {schema}, this program reads {known}");
    ensure!(seal == digest(text), "its digest does not match its contents: it was changed by hand; measure again");
    Ok(())
}
