//! Which code made a number.
//!
//! Each source file has a hash of its tokens, so that a comment or a space changes nothing, and a list of the files
//! it imports. The *reach* of a file is itself and all that it imports, however indirectly: a number made there can
//! depend on nothing else in the tree. Files that only show numbers ([`FILES_WITHOUT_NUMBERS`]) are left out.
//!
//! The build script of `normbook` embeds this graph in every binary, so that a record names the code that ran; the
//! book builder reads the graph of the tree as it stands and compares the two.

mod graph;
mod lock;
mod root;
mod tokens;

pub use graph::{FILES_WITHOUT_NUMBERS, SourceGraph, SourceNode};
pub use lock::numeric_crates;
pub use root::find_root;

use sha2::{Digest, Sha256};

/// Lower-case hexadecimal SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of every line of a JSON text but the one that holds it, ` "digest": …`.
pub fn digest(text: &str) -> String {
    let others = text.split_inclusive('\n').filter(|line| !line.starts_with(" \"digest\": "));
    sha256(others.collect::<String>().as_bytes())
}
