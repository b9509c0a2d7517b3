//! What a test asks of a submission. Its expected outputs are not here: the reference solution gives them.

use crate::law::Law;
use crate::value::Value;

/// A question to a submission.
pub struct Test {
    pub name: &'static str,
    pub points: u32,
    /// One sentence for the student: what is called with what.
    pub asks: &'static str,
    /// Shown after the second failure.
    pub hint: &'static str,
    pub expects: Expects,
    pub calls: Vec<Call>,
}

/// When a test passes.
pub enum Expects {
    /// Every call gives what the reference gives, to within this |x − y| / max(10⁻⁸, |x| + |y|); 0 asks for the same number.
    Reference { tolerance: f64 },
    /// Whatever is given, this holds of it.
    Law(Law),
}

/// The reference's outputs, to within a relative difference.
pub fn within(tolerance: f64) -> Expects {
    Expects::Reference { tolerance }
}

/// A function of the submission and what it is given.
pub struct Call {
    pub function: &'static str,
    pub arguments: Vec<Value>,
}
