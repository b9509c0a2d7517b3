//! Colours by role, and sizes.
//!
//! Figures are drawn in fixed colours that stand for roles; [`super::svg`] turns each into a CSS variable with that
//! colour as its fallback, so that a page's theme decides. The series colours are Okabe and Ito's, which people with
//! any colour vision can tell apart.

use plotters::style::{Color, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};

/// Units per nominal pixel: coordinates are whole units, so figures are drawn large and scaled down.
pub const UNIT: i32 = 4;
/// Nominal size of a figure, in pixels.
pub const WIDTH: i32 = 480;
pub const HEIGHT: i32 = 400;
/// Nominal height of a figure whose axes have the same scale: its plot is square.
pub const SQUARE: i32 = 494;
/// Nominal size of text, in pixels.
pub const TEXT: i32 = 18;

pub const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub const FAINT: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// The colours of the series, in order.
pub const SERIES: [RGBColor; 6] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];

/// The colour of series `index`; they repeat.
pub fn series(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()]
}

/// The same series of the committed run: [`super::svg`] draws it dashed. Distinguished by the last bit of red.
pub fn committed(color: RGBColor) -> RGBColor {
    RGBColor(color.0 ^ 1, color.1, color.2)
}

/// A stroke of `width` nominal pixels.
pub fn stroke(color: RGBColor, opacity: f64, width: f64) -> ShapeStyle {
    color.mix(opacity).stroke_width((width * f64::from(UNIT)).round() as u32)
}

/// Text of the usual size.
pub fn text(color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", TEXT * UNIT).into_font().color(&color)
}

/// Text that runs upwards.
pub fn upward_text() -> TextStyle<'static> {
    ("sans-serif", TEXT * UNIT).into_font().transform(FontTransform::Rotate270).color(&INK)
}

/// About how wide `text` is, in units: sans-serif letters are about half as wide as high.
pub fn text_width(text: &str) -> i32 {
    (text.chars().count() as f64 * 0.5 * f64::from(TEXT * UNIT)) as i32
}
