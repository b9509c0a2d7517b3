//! What is measured: of a loss, of a net.

pub mod backward;
pub mod batch_spread;
pub mod conditioning;
pub mod conventions;
pub mod cross_example;
pub mod exact;
pub mod growth;
pub mod landscape;
pub mod large_step;
pub mod percentiles;
pub mod quadratic;
pub mod rescaling;
pub mod singular_values;
pub mod stepping;
#[cfg(test)]
mod testing;
