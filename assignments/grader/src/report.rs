//! What a submission came to. All formats are drawn from it.

use crate::judge::Verdict;
use crate::table::Table;

pub struct Report {
    pub assignment: String,
    pub heading: String,
    /// Why nothing was run: the compiler's words, or what is wrong with the submission.
    pub problem: Option<String>,
    pub tests: Vec<Graded>,
    /// Of the open assignment.
    pub table: Option<Table>,
    /// What is not contained on this machine.
    pub note: Option<String>,
    pub seconds: f64,
}

pub struct Graded {
    pub name: String,
    pub points: u32,
    pub asks: String,
    pub hint: String,
    /// Not shown to students.
    pub hidden: bool,
    pub verdict: Verdict,
    /// What the submission printed.
    pub printed: String,
    pub seconds: f64,
}

impl Report {
    pub fn points(&self) -> u32 {
        self.tests.iter().map(Graded::earned).sum()
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

impl Graded {
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    pub fn earned(&self) -> u32 {
        if self.passed() { self.points } else { 0 }
    }

    /// Why it failed, line by line; nothing if it passed.
    pub fn why(&self) -> &str {
        match &self.verdict {
            Verdict::Passed => "",
            Verdict::Failed(why) => why,
        }
    }
}

const SHOWN_LINES: usize = 20;
const SHOWN_COLUMNS: usize = 400;

/// A submission's own words, so that they cannot be taken for the grader's: no control characters, each line marked, not too many.
pub fn quoted(words: &str) -> String {
    let without_advice = |line: &&str| !line.is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE=1`");
    let mut lines = words.lines().filter(without_advice);
    let mark = |line: &str| format!("| {}\n", plain(line).chars().take(SHOWN_COLUMNS).collect::<String>());
    let mut quoted: String = lines.by_ref().take(SHOWN_LINES).map(mark).collect();
    if lines.next().is_some() {
        quoted += "| …\n";
    }
    quoted
}

/// Text without control characters, with which a terminal could be made to show anything, among them those that are not seen or
/// turn the direction of what follows.
pub fn plain(words: &str) -> String {
    let turns =
        |char| matches!(char, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    words.chars().map(|char| if char.is_control() && char != '\n' || turns(char) { ' ' } else { char }).collect()
}
