//! From a drawing to a finished SVG: a viewport that scales, words for those who cannot see it, colours by role.

use super::style::{FAINT, INK, PAPER, SERIES, UNIT, WIDTH, committed};
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::RGBColor;

/// What figures are drawn on.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a figure of `height` nominal pixels with `paint` on paper and dresses it.
pub fn draw(height: i32, title: &str, alt: &str, paint: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    let mut text = String::new();
    {
        let area =
            SVGBackend::with_string(&mut text, ((WIDTH * UNIT) as u32, (height * UNIT) as u32)).into_drawing_area();
        area.fill(&PAPER).map_err(drawing)?;
        paint(&area)?;
        area.present().map_err(drawing)?;
    }
    Ok(dress(&text, height, title, alt))
}

/// plotters' error, which cannot leave this room.
pub fn drawing<E: std::fmt::Display>(error: E) -> anyhow::Error {
    anyhow!("drawing failed: {error}")
}

fn dress(drawn: &str, height: i32, title: &str, alt: &str) -> String {
    let drawn_size = format!("width=\"{}\" height=\"{}\"", WIDTH * UNIT, height * UNIT);
    let size = format!("width=\"{WIDTH}\" height=\"{height}\" role=\"img\"");
    let mut text = drawn.replacen(&drawn_size, &size, 1);
    let words = format!(">\n<title>{}</title>\n<desc>{}</desc>\n", escape(title), escape(alt));
    text = text.replacen(">\n", &words, 1);
    let mut color = |color: RGBColor, role: &str, dashes: &str| {
        let drawn = format!("\"{}\"", hex(color));
        let shown = RGBColor(color.0 ^ u8::from(!dashes.is_empty()), color.1, color.2);
        text = text.replace(&drawn, &format!("\"var(--figure-{role}, {})\"{dashes}", hex(shown)));
    };
    color(PAPER, "paper", "");
    color(INK, "ink", "");
    color(FAINT, "faint", "");
    for (index, series) in SERIES.into_iter().enumerate() {
        let role = format!("series-{}", index + 1);
        color(series, &role, "");
        color(committed(series), &role, " stroke-dasharray=\"28 20\"");
    }
    text
}

fn hex(color: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
}

/// Text as XML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
