//! A progress bar on a terminal, silence elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for `trials` trials. It hides itself where standard error is no terminal.
pub fn bar(stage: &'static str, trials: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} trials, {eta} left").expect("a valid template");
    let bar = ProgressBar::new(trials as u64).with_style(style).with_message(stage);
    bar.enable_steady_tick(std::time::Duration::from_millis(500));
    bar
}
