//! The tests of all assignments, with inputs drawn from a seed. Expected values and formulas of the solutions are not
//! here.

mod a1;
mod a2;
mod a3;
mod a4;
mod a5;
mod a6;

use crate::{rng::Rng, test_inputs::TestInputs};

/// Gives the tests of an assignment, with inputs drawn from a seed; `None` if it has no tests.
pub fn tests(assignment: &str, seed: u64) -> Option<Vec<TestInputs>> {
    let tests = match assignment {
        "a1" => a1::tests,
        "a2" => a2::tests,
        "a3" => a3::tests,
        "a4" => a4::tests,
        "a5" => a5::tests,
        "a6" => a6::tests,
        _ => return None,
    };
    Some(tests(&mut Rng::new(seed)))
}
