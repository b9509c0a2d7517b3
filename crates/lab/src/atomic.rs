//! Files that are written in one piece: a reader sees the old one or the new one.

use anyhow::{Context, Result};
use std::io::Write;
use std::path::Path;

/// How the names of files begin that are being written.
pub const WRITING: &str = ".writing-";

/// Writes `bytes` to `path` in one piece, making its folder if need be.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let attempt = || -> std::io::Result<()> {
        let folder = path.parent().expect("a file stands in a folder");
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(WRITING).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        make_readable(file.as_file())?;
        file.persist(path)?;
        Ok(())
    };
    attempt().with_context(|| format!("cannot write {}", path.display()))
}

/// Temporary files are private; what they become is for everybody.
#[cfg(unix)]
fn make_readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
