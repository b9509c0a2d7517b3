//! Weights as functions of other parameters.

use super::Pass;
use candle_core::{Result, Tensor, Var};

/// Computes a layer's linear map for a weight and a bias, on the inputs of a pass.
pub type Map<'a> = &'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>;

/// How a layer's weight is computed from `raw`, the tensor that is trained instead of it, and from parameters of its
/// own.
pub trait Reparameterization: Send + Sync {
    /// Computes the weight of a pass, `[O, ..]`, of the shape of `raw`. Gradients flow to `raw` and to the parameters.
    fn weight(&self, raw: &Tensor, pass: Pass) -> Result<Tensor>;

    /// Returns the trained tensors other than `raw`.
    fn parameters(&self) -> Vec<Var> {
        Vec::new()
    }

    /// Returns the tensors that training changes without a gradient, as [`super::Norm::state`].
    fn state(&self) -> Vec<Var> {
        Vec::new()
    }

    /// Runs before every training pass; a data-dependent initialization takes place here. `bias` is the layer's, `[O]`.
    fn before_training(&self, _raw: &Tensor, _bias: &Var, _map: Map, _pass: Pass) -> Result<()> {
        Ok(())
    }
}
