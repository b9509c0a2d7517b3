//! A source file as its tokens: what the hash covers and which paths it names.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::BTreeSet;

/// The tokens of a file that can change what it computes: no comments, doc attributes or `#[cfg(test)]` items.
pub struct Code {
    trees: Vec<TokenTree>,
}

impl Code {
    /// Errors if `source` is not made of Rust tokens.
    pub fn parse(source: &str) -> Result<Self> {
        let stream: TokenStream =
            source.parse().map_err(|error: proc_macro2::LexError| anyhow!("not Rust tokens: {error}"))?;
        Ok(Self { trees: numeric(stream) })
    }

    /// The tokens as one string, the same for any layout. Declarations `mod name;` are left out: declaring a sibling
    /// changes nothing in the file that declares it.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        write(&self.trees, &mut text);
        text
    }

    /// The names of the modules declared as `mod name;`.
    pub fn declared_modules(&self) -> BTreeSet<String> {
        let declared = |(at, tree): (usize, &TokenTree)| match tree {
            TokenTree::Ident(_) if is_declaration(&self.trees, at) => Some(self.trees[at + 1].to_string()),
            _ => None,
        };
        self.trees.iter().enumerate().filter_map(declared).collect()
    }

    /// The tokens.
    pub fn trees(&self) -> &[TokenTree] {
        &self.trees
    }

    /// Every path in the file, as written, use-groups expanded: `use a::{b, c::d}` gives `a::b` and `a::c::d`.
    pub fn paths(&self) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        collect_paths(&self.trees, &[], &mut found);
        found
    }
}

/// Drops doc attributes and the items behind `#[cfg(test)]`, at every depth.
fn numeric(stream: TokenStream) -> Vec<TokenTree> {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < trees.len() {
        match attribute(&trees, at) {
            Some((end, text)) if text == "cfg(test)" => at = end_of_item(&trees, end),
            Some((end, text)) if text.starts_with("doc=") => at = end,
            _ => {
                kept.push(match &trees[at] {
                    TokenTree::Group(group) => {
                        let inner = numeric(group.stream()).into_iter().collect();
                        TokenTree::Group(Group::new(group.delimiter(), inner))
                    }
                    other => other.clone(),
                });
                at += 1;
            }
        }
    }
    kept
}

/// The attribute `#[…]` or `#![…]` that begins at `at`: the index behind it and its text without spaces.
fn attribute(trees: &[TokenTree], at: usize) -> Option<(usize, String)> {
    if !is_punct(trees.get(at)?, '#') {
        return None;
    }
    let at = if is_punct(trees.get(at + 1)?, '!') { at + 2 } else { at + 1 };
    match trees.get(at)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let text = group.stream().to_string();
            Some((at + 1, text.split_whitespace().collect()))
        }
        _ => None,
    }
}

/// The index behind the item at `at`: behind its first `{…}` or `;`.
fn end_of_item(trees: &[TokenTree], at: usize) -> usize {
    let ends = |tree: &TokenTree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        other => is_punct(other, ';'),
    };
    trees[at..].iter().position(ends).map_or(trees.len(), |offset| at + offset + 1)
}

/// The tokens inside a group.
pub(crate) fn inner(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

pub(crate) fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// Whether `mod name;` begins at `at`.
fn is_declaration(trees: &[TokenTree], at: usize) -> bool {
    matches!(
        trees.get(at..at + 3),
        Some([TokenTree::Ident(word), TokenTree::Ident(_), end]) if word == "mod" && is_punct(end, ';')
    )
}

fn write(trees: &[TokenTree], text: &mut String) {
    let mut at = 0;
    while at < trees.len() {
        if is_declaration(trees, at) {
            at += 3;
            continue;
        }
        match &trees[at] {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(&inner(group), text);
                text.push_str(close);
            }
            leaf => text.push_str(&leaf.to_string()),
        }
        text.push('\n');
        at += 1;
    }
}

fn collect_paths(trees: &[TokenTree], prefix: &[String], found: &mut BTreeSet<Vec<String>>) {
    let mut at = 0;
    while at < trees.len() {
        match &trees[at] {
            TokenTree::Ident(_) => at = collect_path(trees, at, prefix, found),
            TokenTree::Group(group) => {
                collect_paths(&inner(group), prefix, found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads `a::b::c`, `a::{…}` or `a` from `at`; returns the index behind it.
fn collect_path(trees: &[TokenTree], mut at: usize, prefix: &[String], found: &mut BTreeSet<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    while let Some(TokenTree::Ident(ident)) = trees.get(at) {
        path.push(ident.to_string());
        at += 1;
        let double_colon = |at: usize| {
            let colon = |at: usize| trees.get(at).is_some_and(|tree| is_punct(tree, ':'));
            colon(at) && colon(at + 1)
        };
        if !double_colon(at) {
            break;
        }
        at += 2;
        match trees.get(at) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                collect_paths(&inner(group), &path, found);
                return at + 1;
            }
            Some(TokenTree::Ident(_)) => {}
            _ => break, // `a::*` and `a::<T>`
        }
    }
    found.insert(path);
    at
}
