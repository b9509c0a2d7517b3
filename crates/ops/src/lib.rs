//! Operations of neural networks, each in two implementations.
//!
//! `*_composed` is the definition: tensor operations of candle whose gradients are right, in f32 and f64, on any
//! device. `*_fused` computes the same in one pass over the memory, with its own backward pass, on the CPU. The
//! function without a suffix checks the shapes and calls the implementation that [`implementation::Implementation::of`]
//! selects; the other two trust their arguments. Both agree up to rounding (`tests/it/ops/`).
//!
//! All arrays are row-major. Fused kernels run on the rayon pool they are called in, and their results do not depend on
//! the number of threads: shapes alone decide how work is split, and partial sums are added in a fixed order.

// Only `matrix` allows unsafe code, for its call of `gemm`.
#![deny(unsafe_code, clippy::undocumented_unsafe_blocks)]

pub mod activation;
pub mod array;
pub mod block;
pub mod conv2d;
pub mod cross_entropy;
pub mod element;
pub mod implementation;
pub mod kernel;
pub mod linear;
pub mod matrix;
pub mod normalize;
pub mod pool;
pub mod power_iteration;
pub mod sgd;
pub mod vector;
