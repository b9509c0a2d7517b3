//! A6. A norm of your own, in `norm.rs`.
//!
//! A layer sees activations `[N, C]` behind a linear map and `[N, C, H, W]` behind a convolution, in f32 and f64, on any
//! device. The trait [`normbook::norm::Norm`] is all that the nets of the book know of it.

mod norm;

pub use norm::Mine;
