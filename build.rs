//! Embeds in the library which source files it is made of, what each hashes to and imports, and which numeric crates
//! are locked, so that a record can name the code that ran (see `fingerprint/`).

use anyhow::{Context, Result};
use normbook_fingerprint::{SourceGraph, numeric_crates};
use std::{env, fs, path::PathBuf, process::Command};

fn main() -> Result<()> {
    for input in ["build.rs", "src", "chapters", "Cargo.lock", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let read = |name: &str| fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"));
    let crates = numeric_crates(&read("Cargo.lock")?, &read("Cargo.toml")?)?;
    fs::write(out.join("sources.json"), serde_json::to_string(&SourceGraph::read(&root)?)?)?;
    fs::write(out.join("crates.json"), serde_json::to_string(&crates)?)?;
    let rustc = Command::new(env::var("RUSTC")?).arg("--version").output().context("cannot ask rustc its version")?;
    println!("cargo::rustc-env=NORMBOOK_RUSTC={}", String::from_utf8_lossy(&rustc.stdout).trim());
    Ok(())
}
