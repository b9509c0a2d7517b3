//! What is measured: of a loss, of a net.

pub mod affine;
pub mod conditioning;
pub mod gamma_beta;
pub mod gaussian_line;
pub mod landscape;
pub mod linearity;
pub mod quadratic;
pub mod recovery;
pub mod stepping;
