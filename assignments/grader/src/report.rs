//! The result of grading a submission. All output formats are made from it.

use crate::comparison_table::ComparisonTable;
use crate::judge::Verdict;

pub struct Report {
    pub assignment: String,
    pub heading: String,
    /// Why no test was run: the compiler's message, or what is wrong with the submission.
    pub problem: Option<String>,
    pub tests: Vec<GradedTest>,
    /// That of the open assignment.
    pub table: Option<ComparisonTable>,
    /// What the sandbox does not isolate on this machine.
    pub isolation_note: Option<String>,
    pub seconds: f64,
}

pub struct GradedTest {
    pub name: String,
    pub points: u32,
    pub asks: String,
    pub hint: String,
    /// Whether students do not see the test.
    pub hidden: bool,
    pub verdict: Verdict,
    /// What the submission printed.
    pub printed: String,
    pub seconds: f64,
}

impl Report {
    pub fn points(&self) -> u32 {
        self.tests.iter().map(GradedTest::earned).sum()
    }

    pub fn all_points(&self) -> u32 {
        self.tests.iter().map(|test| test.points).sum()
    }

    pub fn passed(&self) -> usize {
        self.tests.iter().filter(|test| test.passed()).count()
    }

    pub fn summary(&self) -> String {
        let (points, all) = (self.points(), self.all_points());
        format!("{points} of {all} points; {} of {} tests passed.", self.passed(), self.tests.len())
    }
}

impl GradedTest {
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    pub fn earned(&self) -> u32 {
        if self.passed() { self.points } else { 0 }
    }

    /// Why it failed, on one or several lines; empty if it passed.
    pub fn why(&self) -> &str {
        match &self.verdict {
            Verdict::Passed => "",
            Verdict::Failed(why) => why,
        }
    }

    /// Describes the test in one text: what it asks and, if it failed, why and what the submission printed.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.asks);
        if !self.passed() {
            text += &format!("{}\n", self.why());
            let printed = quoted(&self.printed);
            if !printed.is_empty() {
                text += &format!("The submission printed:\n{printed}");
            }
        }
        text
    }
}

const SHOWN_LINES: usize = 20;
const SHOWN_COLUMNS: usize = 400;

/// Quotes what a submission printed so it cannot pass for the grader's own output: without control characters, each
/// line marked, and cut to a few lines.
pub fn quoted(printed: &str) -> String {
    let without_advice = |line: &&str| !line.is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE=1`");
    let mut lines = printed.lines().filter(without_advice);
    let mark = |line: &str| format!("| {}\n", plain(line).chars().take(SHOWN_COLUMNS).collect::<String>());
    let mut quoted: String = lines.by_ref().take(SHOWN_LINES).map(mark).collect();
    if lines.next().is_some() {
        quoted += "| …\n";
    }
    quoted
}

/// Replaces control characters, which can make a terminal show anything, and characters that are invisible or change
/// the direction of the text after them.
pub fn plain(text: &str) -> String {
    let is_invisible =
        |char| matches!(char, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    text.chars().map(|char| if char.is_control() && char != '\n' || is_invisible(char) { ' ' } else { char }).collect()
}
