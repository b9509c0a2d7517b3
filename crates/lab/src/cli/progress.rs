//! A progress bar on a terminal; elsewhere, such as in a cluster's log, a line now and then.

use crate::checkpoint::PARTS;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// From one line to the next.
const INTERVAL: Duration = Duration::from_secs(300);

/// How far a stage is. It counts parts of trials: at the paper's scale one may take hours.
pub struct Progress {
    bar: ProgressBar,
    /// When the last line was told.
    told: Mutex<Instant>,
}

impl Progress {
    /// Of so many trials.
    pub fn of(stage: &'static str, trials: usize) -> Self {
        let style =
            ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %, {eta} left").expect("a valid template");
        let message = format!("{trials} {stage}");
        let bar = ProgressBar::new(trials as u64 * PARTS).with_style(style).with_message(message);
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, told: Mutex::new(Instant::now()) }
    }

    pub fn add(&self, parts: u64) {
        self.bar.inc(parts);
        // The bar hides itself where standard error is no terminal.
        if self.bar.is_hidden() && self.is_due(INTERVAL) {
            eprintln!("{}", self.line());
        }
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn is_due(&self, interval: Duration) -> bool {
        self.told.lock().is_ok_and(|mut told| {
            let is_time = told.elapsed() >= interval;
            if is_time {
                *told = Instant::now();
            }
            is_time
        })
    }

    fn line(&self) -> String {
        let percent = 100 * self.bar.position() / self.bar.length().unwrap_or(1).max(1);
        format!("{}: {percent} %, {} left", self.bar.message(), HumanDuration(self.bar.eta()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_it_is_and_how_long_it_takes() {
        let progress = Progress::of("trials", 4);
        for _ in 0..PARTS {
            progress.add(1);
        }
        let line = progress.line();
        assert!(line.starts_with("4 trials: 25 %, ") && line.ends_with(" left"), "{line}");
    }

    #[test]
    fn lines_are_an_interval_apart() {
        let progress = Progress::of("trials", 4);
        assert!(!progress.is_due(INTERVAL) && progress.is_due(Duration::ZERO));
        let later = Instant::now().checked_sub(INTERVAL).unwrap();
        *progress.told.lock().unwrap() = later;
        assert!(progress.is_due(INTERVAL) && !progress.is_due(INTERVAL));
    }
}
