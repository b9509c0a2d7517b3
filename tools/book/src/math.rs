//! LaTeX to MathML, when the book is built: nothing is left for the reader's browser to fetch.

use anyhow::{Result, anyhow};
use pulldown_latex::config::DisplayMode;
use pulldown_latex::{Parser, RenderConfig, Storage, push_mathml};

/// MathML on one line, safe inside Markdown. Errors say what is wrong with the formula.
pub fn mathml(latex: &str, is_display: bool) -> Result<String> {
    let storage = Storage::new();
    let events = Parser::new(latex, &storage).collect::<Result<Vec<_>, _>>();
    let events = events.map_err(|error| anyhow!("${latex}$: {error}"))?;
    let display_mode = if is_display { DisplayMode::Block } else { DisplayMode::Inline };
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    let mut text = String::new();
    let events = events.into_iter().map(Ok::<_, std::convert::Infallible>);
    push_mathml(&mut text, events, config)?;
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(outside_tags(&one_line))
}

/// Characters that Markdown would take for its own, outside of tags, as entities.
fn outside_tags(html: &str) -> String {
    let mut safe = String::new();
    let mut in_tag = false;
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ => {}
        }
        match character {
            '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '|' | '$' | '{' | '}' if !in_tag => {
                safe += &format!("&#{};", u32::from(character));
            }
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_one_line_of_mathml() {
        let text = mathml(r"\tilde{x}_i = \frac{x_i - m_i}{\sigma_i}", false).unwrap();
        assert!(text.starts_with("<math") && text.ends_with("</math>") && !text.contains('\n'), "{text}");
        assert!(mathml("[a]", false).unwrap().contains("&#91;"));
    }

    #[test]
    fn a_wrong_formula_is_an_error() {
        assert!(mathml(r"\frac{1}{2", false).is_err());
        assert!(mathml(r"\nosuchcommand", false).is_err());
    }
}
