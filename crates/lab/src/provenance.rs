//! Where numbers come from: code, data, crates, machine.

use super::arm::Arm;
use super::atomic::write_atomically;
use anyhow::{Context, Result};
use normbook_fingerprint::Sources;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Everything that a number depends on, each with its hash or version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// SHA-256 of the tokens of each source file.
    pub sources: BTreeMap<String, String>,
    /// SHA-256 of each data file.
    pub data: BTreeMap<String, String>,
    /// Locked version of each numeric crate.
    pub crates: BTreeMap<String, String>,
}

impl Fingerprint {
    /// Reads the fingerprint that lies beside a record. Errors name the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not a fingerprint", path.display()))
    }

    /// Writes it in one piece.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).expect("a fingerprint is made of names and hashes");
        write_atomically(path, format!("{text}\n").as_bytes())
    }

    /// Takes the fingerprint of code that starts in the files `entries` of `sources` and reads `data`. Errors if
    /// `sources` lacks an entry.
    pub fn of(sources: &Sources, entries: &[&str], data: BTreeMap<String, String>) -> Result<Self> {
        let reached = sources.graph.reach(entries).context("this program was not compiled with its own sources")?;
        Ok(Self { sources: reached, data, crates: sources.crates.clone() })
    }

    /// Takes the fingerprint of one arm's trial, whatever chapter it belongs to.
    pub fn of_arm(sources: &Sources, arm: &Arm) -> Result<Self> {
        Self::of(sources, &[&arm.source], arm.data.clone())
    }

    /// What differs in `now`: one line for each input that changed, appeared or went.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut lines = compare(&self.sources, &now.sources, |_, _| "changed".into());
        lines.extend(compare(&self.data, &now.data, |_, _| "changed".into()));
        lines.extend(compare(&self.crates, &now.crates, |old, new| format!("went from version {old} to {new}")));
        lines
    }
}

fn compare(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    changed: impl Fn(&str, &str) -> String,
) -> Vec<String> {
    let gone = old.keys().filter(|name| !new.contains_key(*name)).map(|name| format!("{name} is no longer used"));
    let other = new.iter().filter_map(|(name, value)| match old.get(name) {
        None => Some(format!("{name} is new")),
        Some(before) if before != value => Some(format!("{name} {}", changed(before, value))),
        Some(_) => None,
    });
    gone.chain(other).collect()
}

/// Who made a record, on what. Nothing else in a record depends on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MadeBy {
    /// Version of normbook.
    pub normbook: String,
    pub command: String,
    /// UTC, `YYYY-MM-DD`.
    pub date: String,
    /// The commit that the work tree stood on; none outside git.
    pub commit: Option<String>,
    pub device: String,
    /// Number type of the nets; closed forms and checks are in f64.
    pub dtype: String,
    /// Which implementation of the hot operations ran.
    pub kernels: String,
    pub cpu: String,
    /// The widest vector instructions that the processor has.
    pub instruction_set: String,
    pub operating_system: String,
    pub rustc: String,
    pub jobs: usize,
    /// Wall time of the run.
    pub seconds: f64,
    /// Computing time of all its trials, stored ones included.
    pub trial_seconds: f64,
    /// When the fingerprint, which was a part of records then, was last renewed without a full run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed: Option<String>,
    /// SHA-256 of the record without this line.
    pub digest: String,
}

/// The compiler that the lab was built with, as it names itself.
pub const RUSTC: &str = env!("NORMBOOK_RUSTC");

/// Today, UTC, `YYYY-MM-DD`.
pub fn today() -> String {
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    now[..10].to_owned()
}

/// The commit that the work tree at `root` stands on, with `+changes` where files that can change a number differ from
/// it.
pub fn commit(root: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let changes =
        git(&["status", "--porcelain", "--", "crates", "src", "chapters", "data", "Cargo.lock", "Cargo.toml"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}+changes") })
}

/// The processor's name, as far as the system tells.
pub fn cpu() -> String {
    let linux = || {
        let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    linux()
        .or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok())
        .unwrap_or_else(|| format!("unnamed {}", std::env::consts::ARCH))
}

/// The widest vector instructions that the processor has: matrix products of different sets differ in rounding.
pub fn instruction_set() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return "avx512f";
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return "avx2+fma";
        }
    }
    std::env::consts::ARCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_named() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let old = Fingerprint {
            sources: map(&[("src/a.rs", "1"), ("src/b.rs", "1"), ("src/c.rs", "1")]),
            data: map(&[("data/x.csv", "1")]),
            crates: map(&[("candle-core", "0.11.1")]),
        };
        let new = Fingerprint {
            sources: map(&[("src/a.rs", "1"), ("src/b.rs", "2"), ("src/d.rs", "1")]),
            data: map(&[("data/x.csv", "2")]),
            crates: map(&[("candle-core", "0.11.2")]),
        };
        assert!(old.differences(&old).is_empty());
        assert_eq!(
            old.differences(&new),
            [
                "src/c.rs is no longer used",
                "src/b.rs changed",
                "src/d.rs is new",
                "data/x.csv changed",
                "candle-core went from version 0.11.1 to 0.11.2"
            ]
        );
    }

    #[test]
    fn the_date_is_a_date() {
        let today = today();
        assert_eq!((today.len(), &today[4..5], &today[7..8]), (10, "-", "-"));
    }
}
