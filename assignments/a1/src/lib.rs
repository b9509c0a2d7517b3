//! A1. Feature scaling and gradient descent: a model y ≈ w·x + b whose features have very different scales, made easy
//! for gradient descent by standardizing them.
//!
//! - `scaling`: mean and deviation of each feature, over the training examples; what is done with them; and how to
//!   undo it.
//! - `conditioning`: the condition number κ, the best fixed learning rate and how fast it is.
//! - `descent`: the gradient, and how many steps it takes.
//!
//! N is the number of examples, D that of features. Inputs are a `Matrix` `[N, D]`, a row for each example.

mod conditioning;
mod descent;
mod eigen;
mod matrix;
mod scaling;

pub use conditioning::{Best, best_rate, condition_number, hessian};
pub use descent::{gradient, loss, steps_to};
pub use eigen::eigenvalues;
pub use matrix::Matrix;
pub use scaling::{Scaler, prepare, raw_weights};
