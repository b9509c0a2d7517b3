//! A page: its text with directives, formulas and includes taken care of. Code stays as it is.

use crate::math::mathml;
use crate::render::{Directive, Shown, Sources};
use crate::typed;
use regex::Regex;
use std::path::Path;
use std::sync::LazyLock;

static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\{([a-z]+)([^{}]*)\}\}").expect("a valid pattern"));
static COMMAND: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\{#[^}]*\}\}").expect("a valid pattern"));
static INCLUDE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\{\{#include ([^}\s]+)\}\}$").expect("a valid pattern"));
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s#]+)[^)]*\)").expect("a valid pattern"));
static FORMULA: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$([^$\n]+)\$").expect("a valid pattern"));
static INLINE_CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`[^`]*`").expect("a valid pattern"));

/// A page filled, or what is wrong with it.
pub struct Page {
    pub text: String,
    /// `file:line: what`.
    pub problems: Vec<String>,
}

/// Fills the page `text`, which stands in `file`. Every line is taken on its own, but for formulas between lines of
/// `$$` and code between fences.
pub fn fill(file: &Path, text: &str, sources: &Sources, shown: &mut Shown) -> Page {
    let settings = typed::settings(sources.root, file);
    let mut page = Page { text: String::new(), problems: Vec::new() };
    let name = file.strip_prefix(sources.root).unwrap_or(file).display().to_string();
    let (mut fence, mut formula) = (false, None::<(usize, String)>);
    for (index, line) in text.lines().enumerate() {
        let mut complain = |what: String| page.problems.push(format!("{name}:{}: {what}", index + 1));
        for command in COMMAND.find_iter(line) {
            let checked = match INCLUDE.captures(command.as_str()) {
                Some(include) => check_include(file, &include[1]),
                None => Err("of mdBook's commands only {{#include FILE:ANCHOR}} is used here".into()),
            };
            if let Err(what) = checked {
                complain(what);
            }
        }
        if line.trim_start().starts_with("```") {
            fence = !fence;
        }
        if fence || line.trim_start().starts_with("```") {
            page.text += line;
        } else if line.trim() == "$$" {
            match formula.take() {
                None => formula = Some((index + 1, String::new())),
                Some((_, latex)) => match mathml(&latex, true) {
                    // On a narrow screen a wide formula scrolls, by the keyboard too.
                    Ok(math) => page.text += &format!("<div class=\"formula\" tabindex=\"0\">{math}</div>"),
                    Err(error) => complain(format!("{error:#}")),
                },
            }
        } else if let Some((_, latex)) = &mut formula {
            *latex += line;
            latex.push('\n');
            continue;
        } else {
            for number in typed::by_hand(&bare(line), &settings) {
                complain(format!(
                    "{number} is typed by hand: take it from the record by a directive, or say whose it is by {{{{quoted \
                     {number} | SOURCE}}}}"
                ));
            }
            page.text += &fill_line(file, line, sources, shown, &mut complain);
        }
        page.text.push('\n');
    }
    if let Some((line, _)) = formula {
        page.problems.push(format!("{name}:{line}: a formula begins with $$ and does not end"));
    }
    page
}

/// A line without code, directives, formulas and where links lead.
fn bare(line: &str) -> String {
    [&INLINE_CODE, &COMMAND, &DIRECTIVE, &FORMULA, &LINK]
        .iter()
        .fold(line.to_owned(), |text, pattern| pattern.replace_all(&text, " ").into_owned())
}

fn fill_line(
    page: &Path,
    line: &str,
    sources: &Sources,
    shown: &mut Shown,
    complain: &mut impl FnMut(String),
) -> String {
    let mut text = String::new();
    let mut rest = 0;
    for code in INLINE_CODE.find_iter(line) {
        text += &fill_prose(page, &line[rest..code.start()], sources, shown, complain);
        text += code.as_str();
        rest = code.end();
    }
    text + &fill_prose(page, &line[rest..], sources, shown, complain)
}

fn fill_prose(
    page: &Path,
    prose: &str,
    sources: &Sources,
    shown: &mut Shown,
    complain: &mut impl FnMut(String),
) -> String {
    let with_math = FORMULA.replace_all(prose, |formula: &regex::Captures| {
        mathml(&formula[1], false).unwrap_or_else(|error| {
            complain(format!("{error:#}"));
            String::new()
        })
    });
    for link in LINK.captures_iter(prose).filter(|link| !link[1].contains(':')) {
        if !page.parent().unwrap_or(page).join(&link[1]).is_file() {
            complain(format!("no file {} to link to", &link[1]));
        }
    }
    if with_math.contains('$') {
        complain("a $ without its partner on the same line".into());
    }
    let filled = DIRECTIVE.replace_all(&with_math, |found: &regex::Captures| {
        let arguments = found.get(2).map_or("", |group| group.as_str()).trim();
        let arguments = if arguments.is_empty() { Vec::new() } else { arguments.split('|').map(str::trim).collect() };
        let directive = Directive { name: found.get(1).map_or("", |group| group.as_str()), arguments };
        sources.expand(&directive, shown).unwrap_or_else(|error| {
            complain(format!("{error:#}"));
            String::new()
        })
    });
    let left = COMMAND.replace_all(&filled, "");
    if left.contains("{{") || left.contains("}}") {
        complain("what stands in double braces is no directive: {{name chapter | argument}}, on one line".into());
    }
    filled.into_owned()
}

/// mdBook passes over a missing file or anchor in silence.
fn check_include(page: &Path, target: &str) -> Result<(), String> {
    let (file, anchor) = target.trim().split_once(':').unwrap_or((target.trim(), ""));
    let path = page.parent().unwrap_or(page).join(file);
    let text = std::fs::read_to_string(&path).map_err(|_| format!("include: no file {file}"))?;
    if anchor.is_empty() || has_anchor(&text, anchor) {
        Ok(())
    } else {
        Err(format!("include: {file} has no anchor {anchor}"))
    }
}

fn has_anchor(text: &str, anchor: &str) -> bool {
    ["ANCHOR:", "ANCHOR_END:"]
        .iter()
        .all(|mark| text.lines().filter_map(|line| line.split_once(mark)).any(|(_, name)| name.trim() == anchor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill_text(text: &str) -> Page {
        let sources = Sources { root: Path::new("."), chapters: &[] };
        fill(Path::new("./src/main.rs"), text, &sources, &mut Shown::default())
    }

    #[test]
    fn formulas_are_rendered_and_code_is_not() {
        let page = fill_text("Let $x$ be `$y$`.\n\n$$\nx = 1\n$$\n\n```\n$z$ {{claim}}\n```\n");
        assert!(page.problems.is_empty(), "{:?}", page.problems);
        assert!(page.text.contains("Let <math") && page.text.contains("`$y$`") && page.text.contains("$z$ {{claim}}"));
        assert!(page.text.contains("<div class=\"formula\" tabindex=\"0\"><math"));
    }

    #[test]
    fn problems_are_named_with_their_line() {
        for (text, complaint) in [
            ("a\n{{claim ch99 | x}}", "src/main.rs:2: no chapter ch99"),
            ("{{frobnicate}}", "src/main.rs:1: no directive {{frobnicate}}"),
            ("\n\n$\\nosuch$", "src/main.rs:3: "),
            ("{{#include nothing.rs}}", "src/main.rs:1: include: no file nothing.rs"),
            ("$$\nx", "src/main.rs:1: a formula begins with $$"),
            ("{{ value ch01 | x }}", "src/main.rs:1: what stands in double braces is no directive"),
            ("{{value ch01 |\nx", "src/main.rs:1: what stands in double braces is no directive"),
            ("{{#inlcude main.rs}}", "src/main.rs:1: of mdBook's commands only"),
            ("{{#include main.rs:1:2}}", "src/main.rs:1: include: main.rs has no anchor 1:2"),
            ("costs 5 $", "src/main.rs:1: a $ without its partner"),
            ("[x](nosuch.md)", "src/main.rs:1: no file nosuch.md to link to"),
        ] {
            let problems = fill_text(text).problems;
            assert!(problems.len() == 1 && problems[0].contains(complaint), "{problems:?}");
        }
    }

    #[test]
    fn anchors_must_begin_and_end() {
        assert!(has_anchor("// ANCHOR: a\nx\n// ANCHOR_END: a\n", "a"));
        assert!(!has_anchor("// ANCHOR: a\nx\n", "a"));
        assert!(!has_anchor("// ANCHOR: ab\n// ANCHOR_END: ab\n", "a"));
    }
}
