//! The Rust compiler.

use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// The compiler and the folder that holds it and the standard library.
pub struct Toolchain {
    pub compiler: PathBuf,
    pub folder: PathBuf,
}

/// The cargo that has started this program, or else the one on the path.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

impl Toolchain {
    /// Finds the toolchain of the `rustc` on the path. The path may name rustup's proxy, which does not work in the
    /// sandbox.
    pub fn find() -> Result<Self> {
        let output = Command::new("rustc").args(["--print", "sysroot"]).output();
        let output = output.context("cannot start rustc: is Rust installed and on the path?")?;
        ensure!(
            output.status.success(),
            "rustc --print sysroot fails: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        Ok(Self { compiler: folder.join("bin").join(format!("rustc{}", std::env::consts::EXE_SUFFIX)), folder })
    }
}
