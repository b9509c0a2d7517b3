//! The inputs of all tests, drawn from a seed: no expected values, and no formulas of the solutions.

mod a1;
mod a2;
mod a3;
mod a4;
mod a5;
mod a6;

use crate::{draw::Draw, test::Test};

/// The tests of an assignment, with inputs from a seed; none if it has no tests.
pub fn tests(assignment: &str, seed: u64) -> Option<Vec<Test>> {
    let tests = match assignment {
        "a1" => a1::tests,
        "a2" => a2::tests,
        "a3" => a3::tests,
        "a4" => a4::tests,
        "a5" => a5::tests,
        "a6" => a6::tests,
        _ => return None,
    };
    Some(tests(&mut Draw::new(seed)))
}
