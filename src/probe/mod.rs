//! What is measured: of a loss, of a net.

pub mod conditioning;
pub mod landscape;
pub mod quadratic;
pub mod stepping;
