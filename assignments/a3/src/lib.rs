//! A3. Test mode, a bug hunt: five small nets, each with one bug in how its batch normalization remembers or recalls
//! statistics. The documentation of each net says exactly what it should do, and all of it is true of the mended net.
//! Everything else about a net is right: no shape, no weight and no formula outside that one place has to change.
//!
//! In all five, for a batch of m examples and a unit's summed inputs a₁ … aₘ (Ioffe & Szegedy 2015, arXiv:1502.03167):
//!
//! ```text
//! μ = 1/m Σ aᵢ      σ² = 1/m Σ (aᵢ − μ)²      âᵢ = (aᵢ − μ) / √(σ² + ε)      yᵢ = γ âᵢ + β      (Algorithm 1)
//! ```
//!
//! in training; in evaluation the running mean and the running variance stand in the place of μ and σ² (Algorithm 2,
//! line 11), the same for every example, whoever else is in the batch.

pub mod net1;
pub mod net2;
pub mod net3;
pub mod net4;
pub mod net5;
pub mod table;

/// Added to every variance under the root.
pub const EPSILON: f64 = 1e-5;
