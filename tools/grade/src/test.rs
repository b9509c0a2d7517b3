//! What a test asks of a submission. Its expected outputs are not here: the reference solution gives them.

use crate::value::Value;

/// A test passes if every call gives what the reference gives.
pub struct Test {
    pub name: &'static str,
    pub points: u32,
    /// One sentence for the student: what is called with what.
    pub asks: &'static str,
    /// Shown after the second failure.
    pub hint: &'static str,
    /// Largest |x − y| / max(10⁻⁸, |x| + |y|); 0 asks for the same number.
    pub tolerance: f64,
    pub calls: Vec<Call>,
}

/// A function of the submission and what it is given.
pub struct Call {
    pub function: &'static str,
    pub arguments: Vec<Value>,
}
