//! A5. Measure a landscape: how far does the gradient still hold when one goes where it points? What Santurkar,
//! Tsipras, Ilyas & Madry 2018 (arXiv:1805.11604, §3.1 and Fig. 4) measure while a net trains, and without the training
//! noticing.
//!
//! `net.rs` is given: a small net with batch normalization and dropout, its gradient, and a training. `landscape.rs` is
//! yours.

mod landscape;
mod net;

pub use landscape::{Walk, distance, length, quiet_slope, train, walk};
pub use net::{Batch, Net, Slope, Stream, train_unmeasured};
