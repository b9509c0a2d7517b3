//! What a normalization does not notice: Ba, Kiros & Hinton 2016 (arXiv:1607.06450), §5.1 and Table 1.
//!
//! For summed inputs a = W x of a batch, the normalized output before and after a change of the weights or the data.

use candle_core::{Result, Tensor};
use normbook::norm::{
    Pass,
    reparameterization::Reparameterization as _,
    weight::{Start, WeightNorm},
};
use normbook::probe::exact::{normal, relative_difference, values};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use normbook_ops::normalize::{Axes, Normalization, ScaleStatistic, normalize};
use serde::Serialize;
use std::collections::BTreeMap;

/// The normalizations of the table, and its columns.
pub const NORMS: [&str; 3] = ["batch", "weight", "layer"];
pub const CHANGES: [&str; 6] = [
    "weight matrix rescaled",
    "weight matrix recentred",
    "one weight vector rescaled",
    "data rescaled",
    "data recentred",
    "one example rescaled",
];

const EXAMPLES: usize = 12;
const INPUTS: usize = 5;
const UNITS: usize = 4;
/// All changes of size are by a positive factor: a negative one turns signs.
const FACTOR: f64 = 3.0;

/// The trial: exact, in f64, ε = 0, on a batch of 12 examples of 5 inputs and 4 units.
#[derive(Clone, Debug, Serialize)]
pub struct Invariances;

/// The name of a cell of the table.
pub fn cell(norm: &str, change: &str) -> String {
    format!("{norm}, {change}")
}

impl Trial for Invariances {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// A value for each [`cell`]: the largest change of an output, in parts of the largest output.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let device = context.device;
        let stream = &mut Seed(0).stream(Purpose::Probe, 0);
        let inputs = normal(stream, (EXAMPLES, INPUTS))?.into_inner();
        let weight = normal(stream, (UNITS, INPUTS))?.into_inner();
        let shift = normal(stream, (1, INPUTS))?.into_inner();
        // A factor for the first row, 1 for the others.
        let first_of = |rows: usize| {
            let factors = (0..rows).map(|row| if row == 0 { FACTOR } else { 1.0 }).collect();
            Tensor::from_vec::<_, f64>(factors, (rows, 1), device)
        };
        // ANCHOR: changes
        let changed = [
            (inputs.clone(), (&weight * FACTOR)?),
            (inputs.clone(), weight.broadcast_add(&shift)?),
            (inputs.clone(), weight.broadcast_mul(&first_of(UNITS)?)?),
            ((&inputs * FACTOR)?, weight.clone()),
            (inputs.broadcast_add(&shift)?, weight.clone()),
            (inputs.broadcast_mul(&first_of(EXAMPLES)?)?, weight.clone()),
        ];
        // ANCHOR_END: changes
        let reparameterized = WeightNorm::new(&weight, Start::Drawn)?;
        let output = |norm: &str, inputs: &Tensor, weight: &Tensor| -> Result<Vec<f64>> {
            match norm {
                "weight" => values(&inputs.matmul(&reparameterized.weight(weight, Pass::EVAL)?.t()?)?),
                "batch" => normalized(&inputs.matmul(&weight.t()?)?, Axes::Batch),
                _ => normalized(&inputs.matmul(&weight.t()?)?, Axes::Groups(1)),
            }
        };
        let mut trace = Trace::default();
        for norm in NORMS {
            let before = output(norm, &inputs, &weight)?;
            for (change, (inputs, weight)) in CHANGES.iter().zip(&changed) {
                let difference = relative_difference(&output(norm, inputs, weight)?, &before);
                trace.values.insert(cell(norm, change), difference);
            }
        }
        Ok(trace)
    }
}

/// With γ = 1 and β = 0.
fn normalized(summed: &Tensor, axes: Axes) -> Result<Vec<f64>> {
    let gain = Tensor::ones(UNITS, summed.dtype(), summed.device())?;
    let how = Normalization { axes, scale: ScaleStatistic::StandardDeviation, epsilon: 0.0 };
    values(&normalize(summed, &gain, &gain.zeros_like()?, how)?.output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Of the whole table, what nobody disputes.
    #[test]
    fn each_normalization_is_blind_to_its_own() {
        let table = Invariances.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        assert_eq!(table.len(), NORMS.len() * CHANGES.len());
        for norm in NORMS {
            assert!(table[&cell(norm, CHANGES[0])] < 1e-12, "{norm}");
        }
        assert!(table[&cell("layer", CHANGES[5])] < 1e-12 && table[&cell("batch", CHANGES[5])] > 1e-3);
        assert!(table[&cell("batch", CHANGES[4])] < 1e-12 && table[&cell("layer", CHANGES[4])] > 1e-3);
    }
}
