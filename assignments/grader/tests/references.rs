//! Checks the reference solutions of A1 and A2 independently of their code: finite differences, invariances, closed
//! forms.

#[allow(dead_code, unused_imports)] // The checks use only a part.
#[path = "../../a1/src/lib.rs"]
mod a1;
#[path = "../../a1/checks.rs"]
mod a1_checks;
#[allow(dead_code, unused_imports)]
#[path = "../../a2/src/lib.rs"]
mod a2;
#[path = "../../a2/checks.rs"]
mod a2_checks;
