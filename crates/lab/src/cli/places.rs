//! Where files go.

use super::device;
use crate::Protocol;
use anyhow::Result;
use normbook_fingerprint::{find_root, sha256};
use std::path::PathBuf;

/// The name of a record in its folder, and of its fingerprint beside it.
pub const RECORD: &str = "record.json";
pub const FINGERPRINT: &str = "fingerprint.json";

/// The folders of the repository that a run uses.
pub struct Places {
    pub root: PathBuf,
    lab: PathBuf,
}

impl Places {
    /// The repository around the current folder or, if there is none, the one that this program was built from. The
    /// environment variable NORMBOOK_LAB names another folder for what is not committed.
    pub fn find(built_in: &str) -> Result<Self> {
        let root = find_root(built_in)?;
        let named = std::env::var_os("NORMBOOK_LAB").filter(|folder| !folder.is_empty());
        let lab = named.map_or_else(|| root.join("lab"), PathBuf::from);
        Ok(Self { root, lab })
    }

    /// Finished trials.
    pub fn trials(&self) -> PathBuf {
        self.lab.join("trials")
    }

    /// The committed evidence.
    pub fn figures(&self) -> PathBuf {
        self.root.join("figures")
    }

    /// The committed evidence of a chapter.
    pub fn committed(&self, chapter: &str) -> PathBuf {
        self.figures().join(chapter)
    }

    /// The folder of a run that is not the committed one; GPUs of one machine share it.
    pub fn run(&self, chapter: &str, protocol: &Protocol, device: &str) -> PathBuf {
        let text = serde_json::to_vec(&(protocol, device::kind(device))).expect("protocols are plain");
        self.lab.join("runs").join(chapter).join(&sha256(&text)[..8])
    }
}
