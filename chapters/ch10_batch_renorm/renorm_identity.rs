//! What batch renormalization is at the two ends of its limits (Ioffe 2017, arXiv:1702.03275, §3).

use candle_core::{DType, Result, Tensor, Var};
use normbook::norm::{
    Norm, Pass,
    batch::{self, BatchNorm},
    renorm::{BatchRenorm, Config},
};
use normbook::probe::exact::{normal, relative_difference, values};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

const SHAPE: (usize, usize, usize, usize) = (6, 4, 3, 3);
const CHANNELS: usize = 4;

/// The trial: exact, in f64, on `[6, 4, 3, 3]` with random γ, β and upstream gradient, and moving averages as they
/// begin.
#[derive(Clone, Debug, Serialize)]
pub struct RenormIdentity {
    pub limits: Config,
}

impl Trial for RenormIdentity {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values, relative to the largest number: `batch_norm_output_difference` and `batch_norm_gradient_difference`
    /// between the layer and BatchNorm in training, the gradient by the input; `evaluation_difference` between the
    /// layer's outputs in training and in evaluation; and BatchNorm's own, `batch_norm_evaluation_difference`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let device = context.device;
        let stream = &mut Seed(0).stream(Purpose::Probe, 0);
        // Far from the mean 0 and the deviation 1 that moving averages begin with.
        let input = Var::from_tensor(&((normal(stream, SHAPE)?.as_tensor() * 2.0)? + 1.0)?)?;
        let upstream = normal(stream, SHAPE)?;
        let renorm = BatchRenorm::new(CHANNELS, self.limits, DType::F64, device)?;
        let batch = BatchNorm::new(CHANNELS, batch::Config::default(), DType::F64, device)?;
        for (of_renorm, of_batch) in renorm.parameters().iter().zip(batch.parameters()) {
            let drawn = normal(stream, CHANNELS)?;
            of_renorm.set(&drawn)?;
            of_batch.set(&drawn)?;
        }
        let pass = |norm: &dyn Norm| -> Result<[Vec<f64>; 3]> {
            let output = norm.forward(&input, Pass::PROBE)?;
            let gradient = gradient_by(&input, &(&output * upstream.as_tensor())?)?;
            Ok([values(&output)?, gradient, values(&norm.forward(&input, Pass::EVAL)?)?])
        };
        let ([output, gradient, evaluation], [batch_output, batch_gradient, batch_evaluation]) =
            (pass(&renorm)?, pass(&batch)?);
        let mut trace = Trace::default();
        trace.values.extend([
            ("batch_norm_output_difference".into(), relative_difference(&output, &batch_output)),
            ("batch_norm_gradient_difference".into(), relative_difference(&gradient, &batch_gradient)),
            ("evaluation_difference".into(), relative_difference(&output, &evaluation)),
            ("batch_norm_evaluation_difference".into(), relative_difference(&batch_output, &batch_evaluation)),
        ]);
        Ok(trace)
    }
}

fn gradient_by(input: &Var, product: &Tensor) -> Result<Vec<f64>> {
    let gradients = product.sum_all()?.backward()?;
    gradients.get(input).map_or_else(|| Ok(Vec::new()), values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn value(limits: [f64; 2], name: &str) -> f64 {
        let limits = Config { r_max: limits[0], d_max: limits[1], ramp_steps: 0 };
        RenormIdentity { limits }.run_alone(Seed(0), &Device::Cpu).unwrap().values[name]
    }

    #[test]
    fn each_end_is_one_of_the_two_and_not_the_other() {
        let (closed, open) = ([1.0, 0.0], [1e6, 1e6]);
        for name in ["batch_norm_output_difference", "batch_norm_gradient_difference"] {
            assert!(value(closed, name) < 1e-12, "{name}");
            assert!(value(open, name) > 0.1, "{name}");
        }
        assert!(value(open, "evaluation_difference") < 1e-12);
        assert!(value(closed, "evaluation_difference") > 0.1);
        assert!(value(closed, "batch_norm_evaluation_difference") > 0.1);
    }
}
