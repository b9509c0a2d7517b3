//! The items of a file that another file can depend on without naming this one: types, traits, macros and `impl`s.

use crate::tokens::{inner, is_punct};
use proc_macro2::{Delimiter, TokenTree};
use std::collections::BTreeSet;

/// An `impl` block, in the open or in the body of a macro.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Impl {
    /// The last name of the trait's path; none for an inherent `impl`.
    pub trait_name: Option<String>,
    /// The last name of the type's path; none where a macro fills it in (`$t`).
    pub type_name: Option<String>,
}

/// A macro at its call: its name and every name among its arguments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MacroCall {
    pub name: String,
    pub arguments: BTreeSet<String>,
}

/// What a file defines, implements and calls, at every depth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// Structs, enums, unions, traits and type aliases.
    pub definitions: BTreeSet<String>,
    /// Names of `macro_rules!`, and whether the body holds an `impl`.
    pub macros: BTreeSet<(String, bool)>,
    pub impls: BTreeSet<Impl>,
    pub calls: BTreeSet<MacroCall>,
}

impl Items {
    /// Collects the items of a file's tokens.
    pub fn of(trees: &[TokenTree]) -> Self {
        let mut items = Self::default();
        items.collect(trees, true);
        items
    }

    /// `may_begin`: whether an item can begin at the first token, as it can in a file and in braces.
    fn collect(&mut self, trees: &[TokenTree], may_begin: bool) {
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Ident(word) => self.word(trees, at, &word.to_string(), may_begin),
                TokenTree::Group(group) => self.collect(&inner(group), group.delimiter() == Delimiter::Brace),
                _ => {}
            }
        }
    }

    fn word(&mut self, trees: &[TokenTree], at: usize, word: &str, may_begin: bool) {
        let next_name = || name_at(trees, at + 1);
        match word {
            "struct" | "enum" | "union" | "trait" | "type" => self.definitions.extend(next_name()),
            "macro_rules" => {
                if let (Some(name), Some(TokenTree::Group(body))) = (name_at(trees, at + 2), trees.get(at + 3)) {
                    let mut made = Self::default();
                    made.collect(&inner(body), true);
                    self.macros.insert((name, !made.impls.is_empty()));
                }
            }
            "impl" if begins_item(trees, at, may_begin) => self.impls.extend(impl_at(trees, at + 1)),
            _ => self.calls.extend(call_at(trees, at)),
        }
    }
}

fn name_at(trees: &[TokenTree], at: usize) -> Option<String> {
    match trees.get(at)? {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    }
}

/// Whether an item, not a type such as `x: impl Fn()`, begins at `at`.
fn begins_item(trees: &[TokenTree], at: usize, may_begin: bool) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| &trees[before]) else { return may_begin };
    match before {
        TokenTree::Group(group) => matches!(group.delimiter(), Delimiter::Brace | Delimiter::Bracket),
        TokenTree::Ident(word) => word == "unsafe",
        other => is_punct(other, ';'),
    }
}

/// `Trait for Type {…}` or `Type {…}`, with generics, from `at`.
fn impl_at(trees: &[TokenTree], at: usize) -> Option<Impl> {
    let is_body = |tree: &TokenTree| matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let end = at + trees[at..].iter().position(is_body)?;
    let outer = outside_generics(&trees[at..end]);
    let end = outer.iter().position(|tree| is_word(tree, "where")).unwrap_or(outer.len());
    let outer = &outer[..end];
    Some(match outer.iter().position(|tree| is_word(tree, "for")) {
        Some(middle) => Impl { trait_name: last_name(&outer[..middle]), type_name: last_name(&outer[middle + 1..]) },
        None => Impl { trait_name: None, type_name: last_name(outer) },
    })
}

/// The tokens that are not between `<` and `>`.
fn outside_generics(trees: &[TokenTree]) -> Vec<&TokenTree> {
    let (mut depth, mut kept) = (0_usize, Vec::new());
    for (at, tree) in trees.iter().enumerate() {
        let is_arrow = at > 0 && is_punct(&trees[at - 1], '-');
        if is_punct(tree, '<') {
            depth += 1;
        } else if is_punct(tree, '>') && !is_arrow {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            kept.push(tree);
        }
    }
    kept
}

/// The last name of a path; none for `$t`, which a macro fills in.
fn last_name(path: &[&TokenTree]) -> Option<String> {
    let at = path.iter().rposition(|tree| matches!(tree, TokenTree::Ident(_)))?;
    let is_filled_in = at > 0 && is_punct(path[at - 1], '$');
    (!is_filled_in).then(|| path[at].to_string())
}

fn is_word(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == word)
}

/// `name!(…)` from `at`.
fn call_at(trees: &[TokenTree], at: usize) -> Option<MacroCall> {
    let TokenTree::Group(arguments) = trees.get(at + 2).filter(|_| is_punct(&trees[at + 1], '!'))? else { return None };
    let mut names = BTreeSet::new();
    collect_names(&inner(arguments), &mut names);
    Some(MacroCall { name: name_at(trees, at)?, arguments: names })
}

fn collect_names(trees: &[TokenTree], names: &mut BTreeSet<String>) {
    for tree in trees {
        match tree {
            TokenTree::Ident(name) => drop(names.insert(name.to_string())),
            TokenTree::Group(group) => collect_names(&inner(group), names),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Code;

    fn items(text: &str) -> Items {
        Items::of(Code::parse(text).unwrap().trees())
    }

    fn implementation(trait_name: Option<&str>, type_name: Option<&str>) -> Impl {
        Impl { trait_name: trait_name.map(String::from), type_name: type_name.map(String::from) }
    }

    #[test]
    fn impls_are_read_with_their_generics() {
        for (text, trait_name, type_name) in [
            ("impl Layer { fn f() {} }", None, Some("Layer")),
            ("impl<T: Fn(u8) -> u8> super::Layer<T> where T: Copy {}", None, Some("Layer")),
            ("unsafe impl<'a> fmt::Display for Layer<'a> {}", Some("Display"), Some("Layer")),
            ("#[x] impl Element for f32 {}", Some("Element"), Some("f32")),
            ("macro_rules! m { ($t:ty) => { impl Element for $t {} } }", Some("Element"), None),
        ] {
            assert_eq!(items(text).impls, [implementation(trait_name, type_name)].into(), "{text}");
        }
    }

    #[test]
    fn a_type_that_is_only_said_to_implement_is_no_item() {
        for text in ["fn f(g: impl Fn()) {}", "fn f() -> impl Fn() { g }", "fn f(impl_: u8, g: &impl Fn()) {}"] {
            assert!(items(text).impls.is_empty(), "{text}");
        }
    }

    #[test]
    fn macros_and_their_calls_are_found() {
        let found = items("macro_rules! m { ($t:ty) => { impl $t { fn f() {} } } } m!(Layer); mod a { n! { x } }");
        assert_eq!(found.macros, [("m".to_owned(), true)].into());
        let call =
            |name: &str, argument: &str| MacroCall { name: name.into(), arguments: [argument.to_owned()].into() };
        assert!(found.calls.contains(&call("m", "Layer")) && found.calls.contains(&call("n", "x")));
        assert_eq!(items("if a != (b) {}").calls.len(), 0);
    }
}
