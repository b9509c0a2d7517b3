//! A6. A norm of your own, in `norm.rs`.
//!
//! A layer gets activations `[N, C]` after a linear layer and `[N, C, H, W]` after a convolution, in f32 and f64, on
//! any device. The networks of the book know it through the trait [`normbook::norm::Norm`].

mod norm;

pub use norm::Mine;
