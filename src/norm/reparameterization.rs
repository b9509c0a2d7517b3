//! Weights as functions of other parameters.

use super::Pass;
use candle_core::{Result, Tensor, Var};

/// What a layer's linear map gives for a weight and a bias, on the inputs of a pass.
pub type Map<'a> = &'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>;

/// How a layer's weight comes from `raw`, the tensor that is trained in its place, and from parameters of its own.
pub trait Reparameterization: Send + Sync {
    /// The weight of a pass, `[O, ..]`, of the shape of `raw`. Gradients flow to `raw` and to the parameters.
    fn weight(&self, raw: &Tensor, pass: Pass) -> Result<Tensor>;

    /// What is trained besides `raw`.
    fn parameters(&self) -> Vec<Var> {
        Vec::new()
    }

    /// What moves in training and is not trained, as [`super::Norm::state`].
    fn state(&self) -> Vec<Var> {
        Vec::new()
    }

    /// Comes before every training pass: a method that begins where the first step's batch says does so here. `bias` is the
    /// layer's, `[O]`.
    fn before_training(&self, _raw: &Tensor, _bias: &Var, _map: Map, _pass: Pass) -> Result<()> {
        Ok(())
    }
}
