//! What is measured: of a loss, of a net.

pub mod alone;
pub mod conditioning;
pub mod landscape;
pub mod population;
pub mod quadratic;
pub mod stepping;
pub mod testing;
