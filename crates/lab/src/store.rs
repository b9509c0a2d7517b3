//! Finished trials, kept at once and found again.
//!
//! Each lies in its own file, named by the hash of all it depends on: settings, seed, code, data, crates, processor. A
//! run killed at any moment goes on where it was, and so does a long trial, whose state lies beside; machines that
//! share the folder share the work; chapters that train the same nets share the runs. Nothing half-written is trusted.

use super::arm::Arm;
use super::atomic::{WRITING, write_atomically};
use super::provenance::{Fingerprint, instruction_set};
use crate::trial::Trace;
use anyhow::{Context, Result};
use normbook_fingerprint::{Sources, sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The folder of finished trials.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    device: String,
    kernels: String,
    sources: Sources,
}

/// All that a trial depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    spec: Value,
    source: String,
    seed: Option<u64>,
    device: String,
    /// Fused and composed operations differ in rounding.
    kernels: String,
    /// Matrix products of different instruction sets differ in rounding.
    instruction_set: String,
    fingerprint: Fingerprint,
}

/// A trial as it lies in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    key: Key,
    pub trace: Trace,
    /// How long it took.
    pub seconds: f64,
    /// SHA-256 of the trace and the seconds.
    digest: String,
}

impl Kept {
    pub fn new(key: Key, trace: Trace, seconds: f64) -> Self {
        let digest = Self::digest(&trace, seconds);
        Self { key, trace, seconds, digest }
    }

    fn digest(trace: &Trace, seconds: f64) -> String {
        sha256(&serde_json::to_vec(&(trace, seconds)).expect("traces hold finite numbers"))
    }
}

impl Store {
    /// Trials computed on `device` with these kernels by code of `sources`, in `folder`.
    pub fn new(folder: &Path, device: &str, kernels: &str, sources: &Sources) -> Self {
        let (device, kernels) = (device.to_owned(), kernels.to_owned());
        Self { folder: folder.to_owned(), device, kernels, sources: sources.clone() }
    }

    /// The key of `arm` at `seed`.
    pub fn key(&self, arm: &Arm, seed: Option<u64>) -> Result<Key> {
        Ok(Key {
            spec: arm.spec.clone(),
            source: arm.source.clone(),
            seed,
            device: self.device.clone(),
            kernels: self.kernels.clone(),
            instruction_set: instruction_set().into(),
            fingerprint: Fingerprint::of_arm(&self.sources, arm)?,
        })
    }

    /// The trial with this key, if it is there and whole.
    pub fn find(&self, key: &Key) -> Option<Kept> {
        let bytes = std::fs::read(self.path(key)).ok()?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        (kept.key == *key && kept.digest == Kept::digest(&kept.trace, kept.seconds)).then_some(kept)
    }

    /// Keeps a finished trial, in one piece.
    pub fn keep(&self, kept: &Kept) -> Result<()> {
        let text = serde_json::to_vec(kept).context("a trace holds a number that JSON cannot")?;
        write_atomically(&self.path(&kept.key), &text)
    }

    /// The state of a trial that was ended on the way, and the seconds that it had taken; if it is there and whole.
    pub fn find_state(&self, key: &Key) -> Option<(f64, Vec<u8>)> {
        let bytes = std::fs::read(self.path_of_state(key)).ok()?;
        let (digest, rest) = bytes.split_at_checked(DIGEST)?;
        let (seconds, state) = rest.split_first_chunk::<8>()?;
        (digest == digest_of_state(key, rest).as_bytes()).then(|| (f64::from_le_bytes(*seconds), state.to_vec()))
    }

    /// Keeps the state of a trial under way, in one piece.
    pub fn keep_state(&self, key: &Key, seconds: f64, state: &[u8]) -> Result<()> {
        let rest = [&seconds.to_le_bytes()[..], state].concat();
        let bytes = [digest_of_state(key, &rest).into_bytes(), rest].concat();
        write_atomically(&self.path_of_state(key), &bytes)
    }

    /// A finished trial needs its state no longer.
    pub fn forget_state(&self, key: &Key) {
        // There is none of a trial that was quick, and what cannot be removed does no harm.
        let _ = std::fs::remove_file(self.path_of_state(key));
    }

    /// Removes what processes that were killed have half-written: temporary files that nobody has touched for an hour.
    pub fn sweep(&self) {
        let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
        let is_old = |file: &DirEntry| file.metadata().and_then(|about| about.modified()).is_ok_and(is_long_ago);
        for file in entries(&self.folder).flat_map(|folder| entries(&folder.path())) {
            if file.file_name().to_string_lossy().starts_with(WRITING) && is_old(&file) {
                // Another process may have removed it.
                let _ = std::fs::remove_file(file.path());
            }
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        let name = sha256(&bytes_of(key));
        self.folder.join(&name[..2]).join(format!("{}.json", &name[2..34]))
    }

    fn path_of_state(&self, key: &Key) -> PathBuf {
        self.path(key).with_extension("state")
    }
}

fn is_long_ago(time: SystemTime) -> bool {
    time.elapsed().is_ok_and(|age| age > Duration::from_secs(3600))
}

/// Characters of a digest.
const DIGEST: usize = 64;

fn digest_of_state(key: &Key, rest: &[u8]) -> String {
    sha256(&[&bytes_of(key), rest].concat())
}

fn bytes_of(key: &Key) -> Vec<u8> {
    serde_json::to_vec(key).expect("keys are plain")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy::{arm, sources};

    #[test]
    fn a_trial_is_found_again_and_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "cpu", "fused", &sources());
        let key = store.key(&arm(0.1), Some(3)).unwrap();
        assert!(store.find(&key).is_none());
        let mut trace = Trace::default();
        trace.values.insert("loss".into(), 0.333333);
        store.keep(&Kept::new(key.clone(), trace.clone(), 0.1 + 0.2)).unwrap();
        assert_eq!(store.find(&key).unwrap().trace, trace);
        for other in [
            store.key(&arm(0.2), Some(3)).unwrap(),
            store.key(&arm(0.1), Some(4)).unwrap(),
            Store::new(folder.path(), "cpu", "composed", &sources()).key(&arm(0.1), Some(3)).unwrap(),
            Store::new(folder.path(), "cuda:0", "fused", &sources()).key(&arm(0.1), Some(3)).unwrap(),
        ] {
            assert!(store.find(&other).is_none());
        }
    }

    #[test]
    fn a_state_is_found_again_and_only_whole_and_by_its_own_trial() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "cpu", "fused", &sources());
        let [key, other] = [3, 4].map(|seed| store.key(&arm(0.1), Some(seed)).unwrap());
        assert!(store.find_state(&key).is_none());
        store.keep_state(&key, 0.5, b"half the way").unwrap();
        assert_eq!(store.find_state(&key), Some((0.5, b"half the way".to_vec())));
        let whole = std::fs::read(store.path_of_state(&key)).unwrap();
        // Another's, under this one's name.
        std::fs::create_dir_all(store.path_of_state(&other).parent().unwrap()).unwrap();
        std::fs::write(store.path_of_state(&other), &whole).unwrap();
        assert!(store.find_state(&other).is_none() && store.find(&key).is_none());
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        for damaged in [&whole[..whole.len() - 1], &whole[..20], &[], &changed] {
            std::fs::write(store.path_of_state(&key), damaged).unwrap();
            assert!(store.find_state(&key).is_none());
        }
        store.forget_state(&key);
        assert!(!store.path_of_state(&key).exists());
    }

    #[test]
    fn what_was_half_written_an_hour_ago_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (store, trials) = (Store::new(folder.path(), "cpu", "fused", &sources()), folder.path().join("ab"));
        std::fs::create_dir(&trials).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(3700);
        for (name, time) in [(".writing-old", long_ago), (".writing-new", SystemTime::now()), ("trial.json", long_ago)]
        {
            std::fs::File::create(trials.join(name)).unwrap().set_modified(time).unwrap();
        }
        store.sweep();
        let exists = |name| trials.join(name).exists();
        assert!(!exists(".writing-old") && exists(".writing-new") && exists("trial.json"));
        Store::new(&folder.path().join("no folder"), "cpu", "fused", &sources()).sweep();
    }

    #[test]
    fn a_damaged_file_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "cpu", "fused", &sources());
        let key = store.key(&arm(0.1), Some(3)).unwrap();
        let mut trace = Trace::default();
        trace.values.insert("loss".into(), 0.25);
        store.keep(&Kept::new(key.clone(), trace, 1.5)).unwrap();
        let whole = std::fs::read(store.path(&key)).unwrap();
        let changed = String::from_utf8(whole.clone()).unwrap().replace("0.25", "0.75").into_bytes();
        for damaged in [&whole[..whole.len() / 2], &[], &changed] {
            std::fs::write(store.path(&key), damaged).unwrap();
            assert!(store.find(&key).is_none());
        }
    }
}
