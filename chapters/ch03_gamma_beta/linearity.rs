//! How much of its activation's curve a network uses: every hidden unit against its best straight line.

use candle_core::{Result, Tensor, bail};
use normbook::data::dataset::Split;
use normbook::net::{Net, Place};
use normbook::norm::Pass;
use normbook_ops::linear::linear;

/// A unit's best line a ≈ slope · z + intercept over a batch, by least squares.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub slope: f64,
    pub intercept: f64,
    /// Variance of a.
    pub variance: f64,
    /// What the line leaves of it.
    pub residual: f64,
}

/// A hidden layer over a batch, in evaluation.
pub struct HiddenLayer {
    /// z, what the activation is applied to, `[N, units]`.
    pub input: Vec<Vec<f32>>,
    /// One for each unit.
    pub lines: Vec<Line>,
}

/// Every hidden layer of an MLP whose activation comes last, on `images`.
pub fn hidden_layers(net: &dyn Net, images: &Tensor) -> Result<Vec<HiddenLayer>> {
    let hidden = net.layers().len() - 1;
    let (mut inputs, mut layers) = (Vec::new(), Vec::new());
    net.forward_watched(images, Pass::EVAL, &mut |layer, place, tensor| {
        match place {
            Place::BeforeActivation if layer < hidden => inputs.push(tensor.to_vec2::<f32>()?),
            Place::Output if layer < hidden => {
                let Some(input) = inputs.pop() else { bail!("layer {layer} has no activation") };
                layers.push(HiddenLayer { lines: best_lines(&input, &tensor.to_vec2::<f32>()?), input });
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(layers)
}

// ANCHOR: line
/// The line of each column of `inputs` to the same column of `outputs`, both `[N, units]`. A constant unit
/// gets slope 0.
fn best_lines(inputs: &[Vec<f32>], outputs: &[Vec<f32>]) -> Vec<Line> {
    let count = inputs.len() as f64;
    let line = |unit: usize| {
        let pairs = || inputs.iter().zip(outputs).map(|(z, a)| (f64::from(z[unit]), f64::from(a[unit])));
        let (sum_z, sum_a) = pairs().fold((0.0, 0.0), |(sum_z, sum_a), (z, a)| (sum_z + z, sum_a + a));
        let (mean_z, mean_a) = (sum_z / count, sum_a / count);
        let mean =
            |product: fn(f64, f64) -> f64| pairs().map(|(z, a)| product(z - mean_z, a - mean_a)).sum::<f64>() / count;
        let (covariance, of_z, variance) = (mean(|z, a| z * a), mean(|z, _| z * z), mean(|_, a| a * a));
        let slope = if of_z > 0.0 { covariance / of_z } else { 0.0 };
        Line { slope, intercept: mean_a - slope * mean_z, variance, residual: variance - slope * covariance }
    };
    (0..inputs.first().map_or(0, Vec::len)).map(line).collect()
}

/// The part of the units' variance, taken together, that their lines leave.
pub fn nonlinear_share<'a>(lines: impl Iterator<Item = &'a Line> + Clone) -> f64 {
    let residual: f64 = lines.clone().map(|line| line.residual).sum();
    residual / lines.map(|line| line.variance).sum::<f64>()
}
// ANCHOR_END: line

/// The accuracy, in evaluation, of the MLP with every hidden unit's activation replaced by its
/// line: a linear classifier.
pub fn accuracy_with_lines(net: &dyn Net, layers: &[HiddenLayer], part: &Split) -> Result<f64> {
    let mut values = part.inputs.flatten_from(1)?;
    let device = values.device().clone();
    for (index, layer) in net.layers().into_iter().enumerate() {
        values = linear(&values, &layer.effective_weight(Pass::EVAL)?, layer.bias())?;
        if let Some(norm) = layer.norm() {
            values = norm.forward(&values, Pass::EVAL)?;
        }
        if let Some(HiddenLayer { lines, .. }) = layers.get(index) {
            let row = |of: fn(&Line) -> f64| -> Result<Tensor> {
                Tensor::from_vec(lines.iter().map(|line| of(line) as f32).collect(), lines.len(), &device)
            };
            values = values.broadcast_mul(&row(|line| line.slope)?)?.broadcast_add(&row(|line| line.intercept)?)?;
        }
    }
    Ok(part.right(&values)? / part.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::super::gaussian_line::linear_share;
    use super::*;
    use candle_core::Device;
    use normbook::data::dataset::Targets;
    use normbook::net::layer::{Activation, BlockConfig, Init, Weights};
    use normbook::net::mlp::Mlp;
    use normbook::norm::NormKind;
    use normbook_lab::seed::{Purpose, Seed};

    /// A known case: a parabola over −1, 0, 1, 2 by hand, and a unit that is a line.
    #[test]
    fn lines_are_those_of_least_squares() {
        let inputs: Vec<Vec<f32>> = [-1.0, 0.0, 1.0, 2.0].map(|z| vec![z, z, 3.0]).into();
        let outputs: Vec<Vec<f32>> = [-1.0f32, 0.0, 1.0, 2.0].map(|z| vec![z * z, 5.0 - 2.0 * z, 1.0]).into();
        let [parabola, straight, constant] = best_lines(&inputs, &outputs).try_into().unwrap();
        assert!((parabola.slope - 1.0).abs() < 1e-12 && (parabola.intercept - 1.0).abs() < 1e-12);
        assert!((parabola.variance - 2.25).abs() < 1e-12 && (parabola.residual - 1.0).abs() < 1e-12);
        assert!((straight.slope + 2.0).abs() < 1e-12 && straight.residual.abs() < 1e-12);
        assert_eq!((constant.slope, constant.intercept, constant.variance), (0.0, 1.0, 0.0));
        assert!((nonlinear_share([parabola, straight].iter()) - 1.0 / 7.25).abs() < 1e-12);
    }

    /// Normal inputs through unit weights: the quadrature's share.
    #[test]
    fn normal_inputs_give_the_share_of_the_quadrature() {
        let mut stream = Seed(0).stream(Purpose::Probe, 0);
        let inputs: Vec<Vec<f32>> = (0..100_000).map(|_| vec![stream.normal() as f32]).collect();
        let outputs: Vec<Vec<f32>> = inputs.iter().map(|z| vec![1.0 / (1.0 + (-2.0 * z[0] - 1.0).exp())]).collect();
        let found = nonlinear_share(best_lines(&inputs, &outputs).iter());
        assert!((found - (1.0 - linear_share(2.0, 1.0))).abs() < 1e-3, "{found}");
    }

    /// In a network without activations the lines are exact: accuracy and outputs stay as they are.
    #[test]
    fn the_lines_of_a_linear_net_are_the_net() {
        for (activation, is_linear) in [(Activation::Identity, true), (Activation::Sigmoid, false)] {
            let mut stream = Seed(0).stream(Purpose::Init, 0);
            let images = stream.normal_tensor((50, 1, 2, 3), 1.0, &Device::Cpu).unwrap();
            let init = Init { weights: Weights::Glorot, stream: &mut stream, device: &Device::Cpu };
            let net = Mlp::new(&[6, 5, 4, 3], BlockConfig::new(NormKind::BATCH, activation), init).unwrap();
            net.forward(&images, Pass::TRAIN).unwrap();
            let logits = || net.forward(&images, Pass::EVAL).unwrap();
            let (before, classes) = (logits(), logits().argmax(1).unwrap());
            let part = Split { inputs: images.clone(), targets: Targets::Classes(classes) };
            let layers = hidden_layers(&net, &images).unwrap();
            assert_eq!(layers.iter().map(|layer| layer.lines.len()).collect::<Vec<_>>(), [5, 4]);
            assert_eq!(nonlinear_share(layers.iter().flat_map(|layer| &layer.lines)) < 1e-6, is_linear);
            assert!(!is_linear || accuracy_with_lines(&net, &layers, &part).unwrap() == 1.0);
            assert_eq!(logits().to_vec2::<f32>().unwrap(), before.to_vec2::<f32>().unwrap());
        }
    }
}
