//! A report, as each reader wants it.

pub mod classroom;
pub mod gradescope;
pub mod terminal;

use crate::report::{Graded, quoted};

/// What is said of a test where there is room for one text: why it failed, and what the submission printed.
fn output(test: &Graded) -> String {
    let mut output = format!("{}\n", test.asks);
    if !test.passed() {
        output += &format!("{}\n", test.why());
        let printed = quoted(&test.printed);
        if !printed.is_empty() {
            output += &format!("The submission printed:\n{printed}");
        }
    }
    output
}
