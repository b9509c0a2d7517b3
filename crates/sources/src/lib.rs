//! `sources!()`: which code the chapter that calls it is compiled from.

use anyhow::{Context, Result};
use normbook_fingerprint::Sources;
use proc_macro::TokenStream;
use std::fmt::Write;
use std::path::PathBuf;

/// Embeds, as JSON text, the [`Sources`] that the calling chapter reaches. Every file that was read becomes an input of
/// the program: cargo builds it again when one changes.
#[proc_macro]
pub fn sources(_: TokenStream) -> TokenStream {
    let text = expand().unwrap_or_else(|error| format!("compile_error!({:?})", format!("sources!: {error:#}")));
    text.parse().expect("the macro writes Rust tokens")
}

fn expand() -> Result<String> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("cargo sets no {name}"));
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    // The program ch13-group-norm is the crate ch13_group_norm, and so is its folder named.
    let chapter = format!("chapters/{}", variable("CARGO_CRATE_NAME")?);
    let sources = Sources::of_chapter(&root, &chapter)?;
    let mut inputs = String::new();
    for file in sources.graph.0.keys().map(String::as_str).chain(["Cargo.lock", "Cargo.toml"]) {
        write!(inputs, "const _: &[u8] = include_bytes!({:?});", root.join(file))?;
    }
    Ok(format!("{{ {inputs} {:?} }}", serde_json::to_string(&sources)?))
}
