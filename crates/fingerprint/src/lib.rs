//! Which code made a number.
//!
//! Each source file has a hash of its tokens, which a comment or a space does not change, and a list of the files it
//! imports. The *reach* of a file is itself and all that it imports, however indirectly: a number made there can
//! depend on no other file of the tree. Files that only show numbers ([`FILES_WITHOUT_NUMBERS`]) are left out.
//!
//! The macro `sources!` embeds the reach of a chapter in its program, and a record names the code that ran; the book
//! builder reads the tree as it is now and compares the two.

mod graph;
mod items;
mod lock;
mod root;
mod sources;
mod tokens;

pub use graph::{FILES_WITHOUT_NUMBERS, SourceGraph, SourceNode};
pub use lock::numeric_crates;
pub use root::find_root;
pub use sources::Sources;

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
