//! A trial that is under way: its state in the store, and how far it is.

use super::store::{Key, Store};
use crate::trial::Checkpoint;
use candle_core::{Error, Result};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// In how many parts the progress of a trial is told.
pub const PARTS: u64 = 1000;

/// One trial's.
pub struct StoredCheckpoint<'a> {
    store: &'a Store,
    key: &'a Key,
    /// From one time that it is kept to the next.
    interval: Duration,
    state: Option<Vec<u8>>,
    /// Computing time before it was ended.
    seconds_before: f64,
    started: Instant,
    kept: Mutex<Instant>,
    /// Parts that have been told.
    told: AtomicU64,
    on_parts: &'a (dyn Fn(u64) + Sync),
}

impl<'a> StoredCheckpoint<'a> {
    /// With what the store has of it, unless it is to begin `fresh`. `on_parts` is told how many more of [`PARTS`] are
    /// done.
    pub fn open(
        store: &'a Store,
        key: &'a Key,
        interval: Duration,
        fresh: bool,
        on_parts: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        let found = if fresh { None } else { store.find_state(key) };
        let (seconds_before, state) = found.map_or((0.0, None), |(seconds, state)| (seconds, Some(state)));
        let now = Instant::now();
        Self {
            store,
            key,
            interval,
            state,
            seconds_before,
            started: now,
            kept: Mutex::new(now),
            told: AtomicU64::new(0),
            on_parts,
        }
    }

    /// Computing time so far, in seconds.
    pub fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    /// Tells of so many parts in all.
    fn tell(&self, parts: u64) {
        let before = self.told.fetch_max(parts, Ordering::Relaxed);
        if parts > before {
            (self.on_parts)(parts - before);
        }
    }

    /// The trial is finished.
    pub fn finish(self) {
        self.tell(PARTS);
        self.store.forget_state(self.key);
    }
}

impl Checkpoint for StoredCheckpoint<'_> {
    fn last(&self) -> Option<Vec<u8>> {
        self.state.clone()
    }

    fn is_due(&self, step: u64, steps: u64) -> bool {
        self.tell(PARTS * step / steps.max(1));
        step > 0 && self.kept.lock().is_ok_and(|kept| kept.elapsed() >= self.interval)
    }

    fn save(&self, state: &[u8]) -> Result<()> {
        // With the cause, such as a full disk.
        let told = |error| Error::msg(format!("{error:#}"));
        self.store.keep_state(self.key, self.seconds(), state).map_err(told)?;
        if let Ok(mut kept) = self.kept.lock() {
            *kept = Instant::now();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy::{arm, sources};

    #[test]
    fn a_state_is_there_for_the_next_process_until_the_trial_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "cpu", "fused", &sources());
        let key = store.key(&arm(0.1), Some(3)).unwrap();
        let told = AtomicU64::new(0);
        let on_parts = |parts| {
            told.fetch_add(parts, Ordering::Relaxed);
        };
        let open = |interval, fresh| StoredCheckpoint::open(&store, &key, interval, fresh, &on_parts);
        let at_once = Duration::ZERO;
        let first = open(at_once, false);
        assert!(first.last().is_none() && !first.is_due(0, 8) && first.is_due(2, 8));
        first.save(b"state").unwrap();
        let hour = Duration::from_secs(3600);
        let next = open(hour, false);
        assert_eq!(next.last(), Some(b"state".to_vec()));
        assert!(next.seconds() > next.started.elapsed().as_secs_f64(), "what the first took counts");
        assert!(!next.is_due(5, 8) && open(hour, true).last().is_none());
        next.finish();
        assert!(open(hour, false).last().is_none());
        // A quarter of the first, then all of the second.
        assert_eq!(told.into_inner(), PARTS / 4 + PARTS);
    }
}
