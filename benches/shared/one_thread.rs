//! The `main` of a benchmark whose work stays on one thread.

use std::process::ExitCode;

/// Runs the benchmarks of the calling program, after it has started itself once more with one thread if need be:
/// rayon's own pool reads the same variable as candle.
pub fn main() -> ExitCode {
    match normbook_lab::cli::threads::one_per_trial() {
        Ok(Some(code)) => code,
        Ok(None) => {
            divan::main();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
