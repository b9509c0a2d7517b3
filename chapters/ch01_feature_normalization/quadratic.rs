//! Gradient descent on least squares, in closed form.
//!
//! For f(w) = 1/(2N) ‖Xw − y‖² with X/√N = U S Vᵀ the Hessian XᵀX/N has eigenvalues λᵢ = sᵢ², and gradient descent from
//! w = 0 with a fixed learning rate η leaves the excess loss
//!
//! f(w_t) − f* = ½ Σᵢ aᵢ² (1 − ηλᵢ)²ᵗ,  aᵢ = uᵢᵀy/√N,
//!
//! each eigendirection shrinking on its own (LeCun et al. 1998, §4.4 and 5.1). It diverges iff η > 2/L; from the worst
//! start the error shrinks by (κ − 1)/(κ + 1) a step at the minimax rate 2/(L + μ), with L and μ the largest and
//! smallest eigenvalue and κ = L/μ the condition number. Powers use the portable `libm`: every platform finds the
//! same step.

use candle_core::Result;
use nalgebra::{DMatrix, DVector};

/// A least-squares problem in its eigenbasis.
pub struct Quadratic {
    /// Eigenvalues of the Hessian, largest first.
    pub eigenvalues: Vec<f64>,
    /// Eigenvectors, a column each, in the same order.
    pub eigenvectors: DMatrix<f64>,
    /// aᵢ²: twice the excess loss at w = 0 in each direction.
    excess: Vec<f64>,
    /// w*, where the loss is smallest.
    pub minimizer: DVector<f64>,
}

impl Quadratic {
    /// Of inputs `[N, D]` and targets `[N]`, N ≥ D. Errors if the columns are linearly dependent to machine precision.
    pub fn new(inputs: &DMatrix<f64>, targets: &DVector<f64>) -> Result<Self> {
        let root = (inputs.nrows() as f64).sqrt();
        let decomposition = (inputs / root).svd(true, true);
        let (Some(left), Some(right)) = (decomposition.u, decomposition.v_t) else {
            unreachable!("both were asked for")
        };
        let singular = decomposition.singular_values;
        if singular.min() <= 1e-15 * singular.max() {
            candle_core::bail!(
                "the features are linearly dependent to machine precision: their condition number is infinite"
            );
        }
        let loadings = left.transpose() * targets / root;
        let eigenvectors = right.transpose();
        Ok(Self {
            eigenvalues: singular.iter().map(|value| value * value).collect(),
            excess: loadings.iter().map(|loading| loading * loading).collect(),
            minimizer: &eigenvectors * loadings.component_div(&singular),
            eigenvectors,
        })
    }

    /// L, the largest eigenvalue.
    pub fn largest(&self) -> f64 {
        self.eigenvalues[0]
    }

    /// μ, the smallest eigenvalue.
    pub fn smallest(&self) -> f64 {
        self.eigenvalues[self.eigenvalues.len() - 1]
    }

    /// κ = L/μ.
    // ANCHOR: condition_number
    pub fn condition_number(&self) -> f64 {
        self.largest() / self.smallest()
    }
    // ANCHOR_END: condition_number

    /// 2/(L + μ): the fixed learning rate with the best worst case.
    pub fn minimax_learning_rate(&self) -> f64 {
        2.0 / (self.largest() + self.smallest())
    }

    /// (f(w_t) − f*) / (f(0) − f*) after `step` steps from w = 0.
    // ANCHOR: closed_form
    pub fn relative_excess(&self, learning_rate: f64, step: u64) -> f64 {
        let shrunk = |(excess, eigenvalue): (&f64, &f64)| {
            let moved = learning_rate * eigenvalue;
            // ln |1 − ηλ|, exact also where ηλ is tiny
            let log_factor = if moved < 1.0 { libm::log1p(-moved) } else { libm::log(moved - 1.0) };
            excess * libm::exp(2.0 * step as f64 * log_factor)
        };
        let left: f64 = self.excess.iter().zip(&self.eigenvalues).map(shrunk).sum();
        left / self.excess.iter().sum::<f64>()
    }
    // ANCHOR_END: closed_form

    /// The first step at which the excess loss has come down to `fraction` of the initial one. None if it never does,
    /// because the learning rate is 2/L or more.
    pub fn steps_to(&self, fraction: f64, learning_rate: f64) -> Option<u64> {
        if learning_rate * self.largest() >= 2.0 || learning_rate <= 0.0 {
            return None;
        }
        // The excess never grows, so the step is found by doubling and bisection.
        let reached = |step: u64| self.relative_excess(learning_rate, step) <= fraction;
        let mut high: u64 = 1;
        while !reached(high) {
            high = high.checked_mul(2)?;
        }
        let mut low = 0;
        while low < high {
            let middle = low + (high - low) / 2;
            if reached(middle) { high = middle } else { low = middle + 1 }
        }
        Some(high)
    }

    /// Learning rates to try: 24 in every factor of ten from 10⁻³ up to 0.999 times the limit 2/L.
    pub fn sweep(&self) -> Vec<f64> {
        let largest = 0.999 * 2.0 / self.largest();
        (0..=72).map(|index| largest * libm::pow(10.0, f64::from(index) / 24.0 - 3.0)).collect()
    }

    /// The learning rate of the sweep that reaches `fraction` in the fewest steps (the smallest of equals), and the
    /// steps.
    pub fn best(&self, fraction: f64) -> (f64, u64) {
        let tried = self.sweep().into_iter().filter_map(|rate| Some((rate, self.steps_to(fraction, rate)?)));
        tried.min_by_key(|(_, steps)| *steps).expect("the sweep stays below the limit")
    }

    /// The start from which the minimax rate is slowest: off the minimum along the steepest and the flattest direction.
    pub fn worst_start(&self) -> DVector<f64> {
        let steepest = self.eigenvectors.column(0);
        let flattest = self.eigenvectors.column(self.eigenvectors.ncols() - 1);
        &self.minimizer + steepest + flattest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Inputs whose Hessian is diag(a, b), with targets that put the minimum at (1, 1).
    fn diagonal(a: f64, b: f64) -> Quadratic {
        let inputs = DMatrix::from_row_slice(2, 2, &[(2.0 * a).sqrt(), 0.0, 0.0, (2.0 * b).sqrt()]);
        let targets = &inputs * DVector::from_element(2, 1.0);
        Quadratic::new(&inputs, &targets).unwrap()
    }

    #[test]
    fn the_eigenbasis_is_right() {
        let quadratic = diagonal(9.0, 4.0);
        assert!((quadratic.largest() - 9.0).abs() < 1e-12 && (quadratic.smallest() - 4.0).abs() < 1e-12);
        assert!((quadratic.condition_number() - 2.25).abs() < 1e-12);
        assert!((&quadratic.minimizer - DVector::from_element(2, 1.0)).amax() < 1e-12);
    }

    /// By hand: excess ½(9(1 − 9η)²ᵗ + 4(1 − 4η)²ᵗ).
    #[test]
    fn the_excess_is_the_closed_form() {
        let quadratic = diagonal(9.0, 4.0);
        for (rate, step) in [(0.05f64, 3), (0.2, 5), (0.1, 0)] {
            let by_hand = (9.0 * (1.0 - 9.0 * rate).powi(2 * step) + 4.0 * (1.0 - 4.0 * rate).powi(2 * step)) / 13.0;
            assert!((quadratic.relative_excess(rate, step as u64) - by_hand).abs() < 1e-12);
        }
    }

    #[test]
    fn the_limit_of_the_learning_rate_is_two_over_the_largest_eigenvalue() {
        let quadratic = diagonal(9.0, 4.0);
        assert_eq!(quadratic.steps_to(0.01, 1.000001 * 2.0 / 9.0), None);
        assert!(quadratic.steps_to(0.01, 0.999 * 2.0 / 9.0).is_some());
        assert_eq!(quadratic.steps_to(1.0, 0.1), Some(0));
    }

    proptest! {
        /// The step found by bisection is the first of a plain search.
        #[test]
        fn the_step_is_the_first(a in 1.0..50.0f64, b in 0.5..1.0f64, fraction in 0.001..0.9f64, part in 0.05..0.95f64) {
            let quadratic = diagonal(a, b);
            let rate = part * 2.0 / quadratic.largest();
            let first = (0..).find(|step| quadratic.relative_excess(rate, *step) <= fraction);
            prop_assert_eq!(quadratic.steps_to(fraction, rate), first);
        }
    }
}
