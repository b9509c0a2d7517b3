//! Power iteration against a whole decomposition, ours and as Yoshida & Miyato 2017 (arXiv:1705.10941, Algorithm 1)
//! print it.

use candle_core::{Result, Tensor};
use nalgebra::DMatrix;
use normbook::probe::exact::{normal, values};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use normbook_ops::power_iteration::{power_iteration, unit};
use serde::Serialize;
use std::collections::BTreeMap;

const ROWS: usize = 20;
const COLUMNS: usize = 30;
const STEPS: usize = 2000;

/// The trial: exact, in f64, on a random matrix of 20 × 30.
#[derive(Clone, Debug, Serialize)]
pub struct PowerCheck;

impl Trial for PowerCheck {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Series `relative_error` of the estimate over steps; values `largest` (σ₁, of the whole decomposition), `error`
    /// at the last step, in parts of it, `printed` (what the printed algorithm gives at the last step), and
    /// `printed_error`, |printed · σ₁ − 1|.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let device = context.device;
        let matrix = normal(&mut Seed(0).stream(Purpose::Probe, 0), (ROWS, COLUMNS))?.into_inner();
        let largest = DMatrix::from_row_slice(ROWS, COLUMNS, &values(&matrix)?).singular_values().max();
        let mut right = unit(&Tensor::ones((COLUMNS, 1), matrix.dtype(), device)?)?;
        let (mut printed_right, mut printed) = (right.clone(), 0.0);
        let mut errors = Series::default();
        for step in 1..=STEPS {
            let found = power_iteration(&matrix, &right)?;
            right = found.right;
            if step <= 20 || step == STEPS {
                errors.x.push(step as f64);
                errors.y.push((found.value / largest - 1.0).abs());
            }
            // u ← W v, v ← Wᵀ u, σ ← ‖u‖ / ‖v‖. At length 1 for the next step, or v would overflow; σ does not depend
            // on it.
            let left = matrix.matmul(&printed_right)?;
            let back = matrix.t()?.matmul(&left)?;
            printed = (left.sqr()?.sum_all()?.to_scalar::<f64>()? / back.sqr()?.sum_all()?.to_scalar::<f64>()?).sqrt();
            printed_right = unit(&back)?;
        }
        let mut trace = Trace::default();
        trace.values.extend([
            ("largest".into(), largest),
            ("error".into(), errors.y[errors.y.len() - 1]),
            ("printed".into(), printed),
            ("printed_error".into(), (printed * largest - 1.0).abs()),
        ]);
        trace.series.insert("relative_error".into(), errors);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn ours_gives_sigma_and_the_printed_one_its_inverse() {
        let trace = PowerCheck.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!(trace.values["error"] < 1e-9 && trace.values["printed_error"] < 1e-9, "{:?}", trace.values);
        assert!(trace.values["largest"] > 5.0);
        assert!(trace.series["relative_error"].y[0] > 1e-3);
    }
}
