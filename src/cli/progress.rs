//! A progress bar on a terminal, silence elsewhere.

use crate::lab::halfway::PARTS;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// How far a stage is. It counts parts of trials: at the paper's scale one may take hours.
pub struct Progress(ProgressBar);

impl Progress {
    /// Of so many trials. It hides itself where standard error is no terminal.
    pub fn of(stage: &'static str, trials: usize) -> Self {
        let style =
            ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %, {eta} left").expect("a valid template");
        let message = format!("{trials} {stage}");
        let bar = ProgressBar::new(trials as u64 * PARTS).with_style(style).with_message(message);
        bar.enable_steady_tick(Duration::from_millis(500));
        Self(bar)
    }

    pub fn add(&self, parts: u64) {
        self.0.inc(parts);
    }

    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}
