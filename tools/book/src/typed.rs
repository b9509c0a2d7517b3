//! Numbers in the prose that were typed by hand. A decimal or a percentage is a measurement, unless it is a setting:
//! then it stands in the source of the page's chapter, too. What another text has found is quoted with its source, by
//! `{{quoted NUMBER | SOURCE}}`.

use regex::Regex;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static IN_SOURCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d[\d_]*(\.\d+)?(e-?\d+)?").expect("a valid pattern"));
static IN_PROSE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^\w.§:/])(\d+\.\d+( ?%)?|\d+ ?%)").expect("a valid pattern"));

/// The numbers of a chapter's source, comments included, and of its claims' words; none for a page that is no chapter's.
/// Tests make numbers up, and do not count.
pub fn settings(root: &Path, page: &Path) -> Vec<f64> {
    let folder = root.join("chapters").join(page.file_stem().unwrap_or_default());
    let is_source = |path: &PathBuf| {
        let has = |extension: &str| path.extension().is_some_and(|found| found == extension);
        has("rs") && !path.ends_with("tests.rs") || path.ends_with("claims.toml")
    };
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let source: String = files.filter(is_source).filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    IN_SOURCE.find_iter(&source).filter_map(|number| number.as_str().replace('_', "").parse().ok()).collect()
}

/// The decimals and percentages of a prose without directives, formulas and code that are no settings.
pub fn by_hand(prose: &str, settings: &[f64]) -> Vec<String> {
    let numbers = IN_PROSE.captures_iter(prose).map(|found| found[1].to_owned());
    let is_setting = |text: &str| {
        let digits = text.trim_end_matches(['%', ' ']);
        let value = digits.parse::<f64>().unwrap_or(f64::NAN);
        let meant = [value, if text.ends_with('%') { value / 100.0 } else { value }];
        settings.iter().any(|setting| meant.iter().any(|meant| (setting - meant).abs() <= 1e-12 * meant))
    };
    numbers.filter(|text| !is_setting(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_found_and_a_setting_is_not() {
        let settings = [0.1, 0.8, 4.1];
        let found = by_hand("At rate 0.1 it comes to 80 %, grows by 1.93 and ends at 97.31 % or 3 %.", &settings);
        assert_eq!(found, ["1.93", "97.31 %", "3 %"]);
        assert!(by_hand("Theorem 4.1 (arXiv:1805.11604, §3.1) on batches of 64", &settings).is_empty());
    }
}
