//! A test before the reference solution has run: what it asks of a submission, without expected outputs.

use crate::property::Property;
use crate::value::Value;

/// A test's description and inputs.
pub struct TestInputs {
    pub name: &'static str,
    pub points: u32,
    /// Tells the student in one sentence what is called with what.
    pub asks: &'static str,
    /// Shown after the second failure.
    pub hint: &'static str,
    pub expects: Expectation,
    pub calls: Vec<Call>,
}

/// When a test passes.
pub enum Expectation {
    /// Every number x of the reference and y of the submission agree: |x − y| / max(10⁻⁸, |x| + |y|) ≤ `tolerance`.
    /// A tolerance of 0 asks for the same number.
    Reference { tolerance: f64 },
    /// The answers have this property, whatever their values.
    Property(Property),
}

/// Expects the reference's outputs, within a relative difference.
pub fn within(tolerance: f64) -> Expectation {
    Expectation::Reference { tolerance }
}

/// A function of the submission and its arguments.
pub struct Call {
    pub function: &'static str,
    pub arguments: Vec<Value>,
}
