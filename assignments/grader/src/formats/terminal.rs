//! The report for a student at a terminal.

use crate::report::{GradedTest, Report, quoted};

/// Writes the report; `hints` decides for which failed tests it shows the hint.
pub fn text(report: &Report, hints: impl Fn(&GradedTest) -> bool) -> String {
    let mut text = format!("{}\n\n", report.heading);
    let width = report.tests.iter().map(|test| test.name.chars().count()).max().unwrap_or(0);
    for test in &report.tests {
        let mark = if test.passed() { "passed" } else { "FAILED" };
        text += &format!("{mark} {:>2}/{:<2}  {:width$}  {}\n", test.earned(), test.points, test.name, test.asks);
        if report.problem.is_some() {
            continue;
        }
        let mut below = test.why().to_owned();
        if !test.passed() {
            if hints(test) {
                below += &format!("\nHint: {}", test.hint);
            }
            below += &format!("\n{}", quoted(&test.printed));
        }
        text.extend(below.lines().map(|line| format!("              {line}\n")));
    }
    if let Some(problem) = &report.problem {
        text += &format!("\n{}\n", problem.trim_end());
    }
    if let Some(table) = &report.table {
        text += &format!("\n{}", table.text());
    }
    if let Some(note) = &report.isolation_note {
        text += &format!("\n{note}\n");
    }
    text + &format!("\n{}\n", report.summary())
}
