//! `cargo grade aN`.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = normbook_grade::sandbox::entered() {
        return code;
    }
    normbook_grade::cli::run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}
