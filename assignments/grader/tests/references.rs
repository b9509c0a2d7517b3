//! The reference solutions against what is true whatever the code: finite differences, invariances, closed forms.

#[allow(dead_code, unused_imports)] // The harness needs more of it than the checks.
#[path = "../../a1/src/lib.rs"]
mod a1;
#[path = "../../a1/checks.rs"]
mod a1_checks;
#[allow(dead_code, unused_imports)]
#[path = "../../a2/src/lib.rs"]
mod a2;
#[path = "../../a2/checks.rs"]
mod a2_checks;
