//! The operations that nets are made of, each in two versions side by side.
//!
//! `*_composed` is the definition: tensor operations of candle whose gradients are right, in f32 and f64, on any device.
//! `*_fused` is the same in one pass over the memory with its own backward, for the CPU. The plain name takes one of the
//! two, as [`kernels::Kernels::of`] decides, and checks the shapes, which the two others trust. They agree to rounding (`tests/ops/`).
//!
//! All arrays are row-major. Fused kernels run on the rayon pool they are called in, and their results do not depend on
//! its size: work is cut by shapes only, and partial sums are added in a fixed order.

pub mod activation;
pub mod array;
pub mod block;
pub mod conv2d;
pub mod cross_entropy;
pub mod element;
pub mod kernel;
pub mod kernels;
pub mod linear;
pub mod matrix;
pub mod normalize;
mod normalize_backward;
mod normalize_columns;
mod normalize_fused;
mod normalize_runs;
pub mod patches;
pub mod pool;
pub mod power_iteration;
pub mod sgd;
mod tiles;
mod winograd;
