//! How well a least-squares problem is conditioned, and how many steps of gradient descent that costs.

use super::quadratic::Quadratic;
use candle_core::Result;
use normbook::data::design::Design;
use normbook_lab::trial::{RunContext, Series, Trace, Trial, sample_steps};
use serde::Serialize;
use std::collections::BTreeMap;

/// Parts of the initial excess loss, in percent, that gradient descent should come down to.
pub const TARGETS_PERCENT: [u32; 3] = [30, 10, 1];

/// The trial: exact, from the closed form in the eigenbasis.
#[derive(Clone, Debug, Serialize)]
pub struct Conditioning {
    pub design: Design,
}

/// The name of the value that holds the steps to `percent`.
pub fn steps_name(percent: u32) -> String {
    format!("steps_to_{percent}_percent")
}

impl Trial for Conditioning {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.design.data()
    }

    /// Values `condition_number`, `largest_eigenvalue`, `smallest_eigenvalue` and for each target `steps_to_…_percent`
    /// at the best fixed learning rate `learning_rate_to_…_percent`. Series `steps_by_learning_rate` (to 1 %) and
    /// `relative_excess` over steps at the best learning rate for 1 %.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let (inputs, targets) = self.design.with_bias();
        let quadratic = Quadratic::new(&inputs, &targets)?;
        let mut trace = Trace::default();
        let mut keep = |name: &str, value: f64| trace.values.insert(name.to_owned(), value);
        keep("condition_number", quadratic.condition_number());
        keep("largest_eigenvalue", quadratic.largest());
        keep("smallest_eigenvalue", quadratic.smallest());
        for percent in TARGETS_PERCENT {
            let (rate, steps) = quadratic.best(f64::from(percent) / 100.0);
            keep(&steps_name(percent), steps as f64);
            keep(&format!("learning_rate_to_{percent}_percent"), rate);
        }
        let mut sweep = Series::default();
        for rate in quadratic.sweep() {
            sweep.x.push(rate);
            sweep.y.push(quadratic.steps_to(0.01, rate).expect("the sweep stays below the limit") as f64);
        }
        trace.series.insert("steps_by_learning_rate".into(), sweep);
        let (rate, steps) = quadratic.best(0.01);
        let samples = sample_steps(2 * steps, 20);
        let excess = samples.iter().map(|step| quadratic.relative_excess(rate, *step)).collect();
        let curve = Series { x: samples.iter().map(|step| *step as f64).collect(), y: excess };
        trace.series.insert("relative_excess".into(), curve);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::data::{design::Source, standardize::Preparation, tabular::Table};
    use normbook_lab::seed::Seed;

    fn trace(source: Source, preparation: Preparation) -> Trace {
        Conditioning { design: Design { source, preparation } }.run_alone(Seed(0), &Device::Cpu).unwrap()
    }

    /// The toy is a full grid, so its standardised inputs are uncorrelated: the Hessian is the identity.
    #[test]
    fn the_standardised_toy_is_perfectly_round() {
        let trace = trace(Source::Toy { scale: 100.0 }, Preparation::Standardised);
        assert!((trace.values["condition_number"] - 1.0).abs() < 1e-12);
    }

    /// Golden values of numpy.linalg.svd: `golden.py`.
    #[test]
    fn condition_numbers_and_steps_agree_with_numpy() {
        let golden: BTreeMap<String, f64> = serde_json::from_str(include_str!("golden.json")).unwrap();
        for (table, name) in [(Table::Wine, "wine"), (Table::BreastCancer, "breast_cancer")] {
            for preparation in Preparation::ALL {
                let (inputs, targets) = Design { source: Source::Table(table), preparation }.with_bias();
                let quadratic = Quadratic::new(&inputs, &targets).unwrap();
                let found = quadratic.condition_number();
                let expected = golden[&format!("{name} {}", preparation.name())];
                // The smallest singular value carries an error of about 10⁻¹⁶ κ relative to itself.
                assert!((found / expected - 1.0).abs() < 1e-6, "{name} {preparation:?}: {found} {expected}");
                let steps = quadratic.steps_to(0.01, 0.999 * 2.0 / quadratic.largest()).unwrap() as f64;
                let expected = golden[&format!("{name} {} steps", preparation.name())];
                assert!(
                    (steps - expected).abs() <= 1.0 + 1e-5 * expected,
                    "{name} {preparation:?}: {steps} {expected}"
                );
            }
        }
    }
}
