//! Training: optimizers, the one training loop, and the trials that use them.

pub mod accuracy;
pub mod adam;
pub mod adaptive_clipping;
pub mod batches;
pub mod classifier;
pub mod deep_linear;
pub mod descent;
pub mod in_turn;
pub mod loss;
pub mod optimizer;
pub mod paper_mlp;
pub mod spectral_penalty;
pub mod tabular;
pub mod training;
