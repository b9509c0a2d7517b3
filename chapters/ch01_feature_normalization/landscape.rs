//! The loss of the lecture's toy over its two weights, and the path of gradient descent on it.

use super::quadratic::Quadratic;
use candle_core::Result;
use nalgebra::DVector;
use normbook::data::{design::Design, toy};
use normbook::train::descent::{loss, walk};
use normbook_lab::trial::{Grid, RunContext, Series, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// Points of the grid along each axis.
const GRID: usize = 81;

/// The trial: the bias stays at its best value, both weights start at 0.
#[derive(Clone, Debug, Serialize)]
pub struct ToyLandscape {
    pub design: Design,
    /// How far the picture reaches from the minimum along w₁ and w₂.
    pub half_width: [f64; 2],
    /// The learning rate as a part of the largest stable one, 2/L.
    pub part_of_limit: f64,
    pub steps: u64,
}

impl Trial for ToyLandscape {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.design.data()
    }

    /// Grid `relative_loss` (1 at the start), path `trajectory` through (w₁, w₂), values `condition_number`,
    /// `ravine_ratio` (how much longer than wide its level lines are), `learning_rate` and `relative_excess` after the
    /// last step.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let (inputs, _) = self.design.features();
        let true_weights = self.true_weights()?;
        let targets = &inputs * &true_weights;
        let quadratic = Quadratic::new(&inputs, &targets)?;
        let rate = self.part_of_limit * 2.0 / quadratic.largest();
        let start = DVector::zeros(2);
        let initial = loss(&inputs, &targets, &start);
        let mut path = Series::default();
        walk(&inputs, &targets, start, rate, self.steps, |_, weights| {
            path.x.push(weights[0]);
            path.y.push(weights[1]);
        });
        let last = DVector::from_row_slice(&[path.x[path.x.len() - 1], path.y[path.y.len() - 1]]);
        let axis = |weight: usize| -> Vec<f64> {
            let along = |index: usize| 2.0 * index as f64 / (GRID - 1) as f64 - 1.0;
            (0..GRID).map(|index| true_weights[weight] + self.half_width[weight] * along(index)).collect()
        };
        let (x, y) = (axis(0), axis(1));
        let at = |(w1, w2): (f64, f64)| loss(&inputs, &targets, &DVector::from_row_slice(&[w1, w2])) / initial;
        let z = y.iter().flat_map(|w2| x.iter().map(|w1| at((*w1, *w2)))).collect();
        let mut trace = Trace::default();
        trace.values.insert("condition_number".into(), quadratic.condition_number());
        trace.values.insert("ravine_ratio".into(), quadratic.condition_number().sqrt());
        trace.values.insert("learning_rate".into(), rate);
        trace.values.insert("relative_excess".into(), loss(&inputs, &targets, &last) / initial);
        trace.series.insert("trajectory".into(), path);
        trace.grids.insert("relative_loss".into(), Grid { x, y, z });
        Ok(trace)
    }
}

impl ToyLandscape {
    /// The weights that fit the targets once the bias is right: slope of the target along each prepared input.
    fn true_weights(&self) -> Result<DVector<f64>> {
        let (inputs, targets) = self.design.with_bias();
        Ok(Quadratic::new(&inputs, &targets)?.minimizer.rows(0, toy_inputs()).into_owned())
    }
}

/// How many inputs the toy has.
fn toy_inputs() -> usize {
    toy::inputs(1.0).ncols()
}
