//! Does gradient descent, really stepped, do what the closed form says?

use super::quadratic::Quadratic;
use candle_core::Result;
use nalgebra::{DMatrix, DVector};
use normbook::data::design::Design;
use normbook::probe::exact::larger;
use normbook::train::descent::{loss, walk};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// How far the error from the worst start is followed: until it should have shrunk by e to this power.
const E_FOLDS: f64 = 8.0;

/// The trial: exact, in f64, by the definition of a step.
#[derive(Clone, Debug, Serialize)]
pub struct Stepping {
    pub design: Design,
}

impl Trial for Stepping {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.design.data()
    }

    /// Values `condition_number`; from the worst start at the minimax rate `rate_in_theory` and `rate_measured`
    /// (factors per step) and `log_rate_ratio` (the logarithm of the latter over that of the former); from w = 0 at the
    /// best learning rate for 1 % `largest_difference` from the closed form, relative to the initial excess loss.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let (inputs, targets) = self.design.with_bias();
        let quadratic = Quadratic::new(&inputs, &targets)?;
        let kappa = quadratic.condition_number();
        let theory = (kappa - 1.0) / (kappa + 1.0);
        let log_rate = log_rate_from_the_worst_start(&inputs, &targets, &quadratic, theory);
        let mut trace = Trace::default();
        for (name, value) in [
            ("condition_number", kappa),
            ("rate_in_theory", theory),
            ("rate_measured", libm::exp(log_rate)),
            ("log_rate_ratio", log_rate / libm::log(theory)),
            ("largest_difference", largest_difference(&inputs, &targets, &quadratic)),
        ] {
            trace.values.insert(name.into(), value);
        }
        Ok(trace)
    }
}

fn log_rate_from_the_worst_start(
    inputs: &DMatrix<f64>,
    targets: &DVector<f64>,
    quadratic: &Quadratic,
    theory: f64,
) -> f64 {
    let steps = (E_FOLDS / -libm::log(theory)).ceil();
    let error = |weights: &DVector<f64>| (weights - &quadratic.minimizer).norm();
    let start = quadratic.worst_start();
    let before = error(&start);
    let mut after = before;
    walk(inputs, targets, start, quadratic.minimax_learning_rate(), steps as u64, |step, weights| {
        if step == steps as u64 {
            after = error(weights);
        }
    });
    libm::log(after / before) / steps
}

fn largest_difference(inputs: &DMatrix<f64>, targets: &DVector<f64>, quadratic: &Quadratic) -> f64 {
    let (rate, steps) = quadratic.best(0.01);
    let start = DVector::zeros(inputs.ncols());
    let floor = loss(inputs, targets, &quadratic.minimizer);
    let initial = loss(inputs, targets, &start) - floor;
    let mut largest: f64 = 0.0;
    walk(inputs, targets, start, rate, steps, |step, weights| {
        let stepped = (loss(inputs, targets, weights) - floor) / initial;
        largest = larger(largest, (stepped - quadratic.relative_excess(rate, step)).abs());
    });
    largest
}
