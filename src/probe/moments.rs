//! How the hidden units' values are distributed over a batch, and how much that changes from one step to the next: the
//! "distributional (in)stability" of Santurkar et al. 2018 (arXiv:1805.11604, Fig. 2 and 8).

use crate::net::{Net, Place};
use crate::norm::Pass;
use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// Mean and variance of every unit of a layer over the batch, pixels included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Units {
    pub mean: Vec<f64>,
    pub variance: Vec<f64>,
}

/// The hidden layers' units at one place.
pub type Layers = Vec<Units>;

/// A change of the two moments from one step to the next: of each layer the sum over its units over another sum, so
/// that units that hardly vary have no say of their own; then the mean over the layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Σ |μ_{t+1} − μ_t| / Σ σ_t.
    pub of_mean: f64,
    /// Σ |σ²_{t+1} − σ²_t| / Σ σ²_t.
    pub of_variance: f64,
}

/// The units of every hidden layer: what their activations are applied to, and what they give.
pub fn moments(net: &dyn Net, inputs: &Tensor, pass: Pass) -> Result<[Layers; 2]> {
    let mut found = [Layers::new(), Layers::new()];
    watch_hidden(net, inputs, pass, &mut |_, place, values, channels| {
        found[usize::from(place == Place::Output)].push(of_units(values, channels));
    })?;
    Ok(found)
}

/// Sees of a hidden layer, counted from 0, the place, the values unit after unit, and how many units there are.
type See<'a> = &'a mut dyn FnMut(usize, Place, &[f32], usize);

/// Shows every hidden layer.
fn watch_hidden(net: &dyn Net, inputs: &Tensor, pass: Pass, see: See) -> Result<()> {
    let hidden = net.layers().len() - 1;
    net.forward_watched(inputs, pass, &mut |layer, place, tensor| {
        if layer < hidden && place != Place::Mapped {
            let values: Vec<f32> = tensor.transpose(0, 1)?.flatten_all()?.to_vec1()?;
            see(layer, place, &values, tensor.dim(1)?);
        }
        Ok(())
    })?;
    Ok(())
}

fn of_units(values: &[f32], units: usize) -> Units {
    let count = values.len() / units;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / count as f64;
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    for unit in values.chunks(count) {
        let middle = mean(&mut unit.iter().map(|value| f64::from(*value)));
        means.push(middle);
        variances.push(mean(&mut unit.iter().map(|value| (f64::from(*value) - middle).powi(2))));
    }
    Units { mean: means, variance: variances }
}

// ANCHOR: change
/// From one step to the next. None if no unit of any layer varies.
pub fn change(before: &Layers, after: &Layers) -> Option<Change> {
    let moved = |before: &[f64], after: &[f64]| before.iter().zip(after).map(|(b, a)| (a - b).abs()).sum::<f64>();
    let layers = before.iter().zip(after).filter_map(|(before, after)| {
        let deviations: f64 = before.variance.iter().map(|variance| variance.sqrt()).sum();
        let of_mean = moved(&before.mean, &after.mean) / deviations;
        let of_variance = moved(&before.variance, &after.variance) / before.variance.iter().sum::<f64>();
        (deviations > 0.0).then_some((of_mean, of_variance))
    });
    let layers: Vec<(f64, f64)> = layers.collect();
    let mean = |of: fn(&(f64, f64)) -> f64| layers.iter().map(of).sum::<f64>() / layers.len() as f64;
    (!layers.is_empty()).then(|| Change { of_mean: mean(|layer| layer.0), of_variance: mean(|layer| layer.1) })
}
// ANCHOR_END: change

/// How histograms are cut: the bins' width, and how far they go either way. What lies beyond is in no bin.
pub const BIN: f64 = 0.25;
pub const BINS_TO: f64 = 4.0;

/// The middle of each bin.
pub fn bins() -> Vec<f64> {
    (0..(2.0 * BINS_TO / BIN) as usize).map(|bin| -BINS_TO + (bin as f64 + 0.5) * BIN).collect()
}

/// The density in each bin of what the activations of hidden layer `layer`, from 1, are applied to, over all its units.
pub fn histogram(net: &dyn Net, inputs: &Tensor, pass: Pass, layer: usize) -> Result<Vec<f64>> {
    let mut counts = vec![0.0; bins().len()];
    watch_hidden(net, inputs, pass, &mut |index, place, values, _| {
        if index + 1 == layer && place == Place::BeforeActivation {
            for value in values {
                let bin = ((f64::from(*value) + BINS_TO) / BIN).floor();
                if (0.0..counts.len() as f64).contains(&bin) {
                    counts[bin as usize] += 1.0 / (values.len() as f64 * BIN);
                }
            }
        }
    })?;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::layer::{Activation, BlockConfig, Init, Weights};
    use crate::net::mlp::Mlp;
    use crate::norm::NormKind;
    use candle_core::Device;
    use normbook_lab::seed::{Purpose, Seed};

    #[test]
    fn moments_and_their_changes_are_those_of_the_definition() {
        let units = of_units(&[1.0, 3.0, 5.0, 5.0], 2);
        assert_eq!(units, Units { mean: vec![2.0, 5.0], variance: vec![1.0, 0.0] });
        let later = Units { mean: vec![2.5, 6.0], variance: vec![3.0, 1.0] };
        let still = Units { mean: vec![1.0], variance: vec![0.0] };
        let change_of = |before: &Layers, after: &Layers| change(before, after).unwrap();
        // (0.5 + 1) / (1 + 0) and (2 + 1) / (1 + 0); a layer that does not vary has no say.
        let found = change_of(&vec![units.clone(), still.clone()], &vec![later, still]);
        assert_eq!(found, Change { of_mean: 1.5, of_variance: 3.0 });
        assert_eq!(change(&vec![], &vec![]), None);
    }

    /// Behind BatchNorm every unit has mean 0 and variance 1, and a normal density.
    #[test]
    fn behind_batch_norm_the_moments_are_known() {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let inputs = stream.normal_tensor((4000, 6), 3.0, &Device::Cpu).unwrap();
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        let net = Mlp::new(&[6, 5, 2], BlockConfig::new(NormKind::BATCH, Activation::Relu), init).unwrap();
        let [before, after] = moments(&net, &inputs, Pass::PROBE).unwrap();
        assert_eq!((before.len(), after.len()), (1, 1));
        for unit in 0..5 {
            assert!(before[0].mean[unit].abs() < 1e-5 && (before[0].variance[unit] - 1.0).abs() < 1e-3);
            assert!((after[0].mean[unit] - 0.3989).abs() < 0.02, "{:?}", after[0].mean);
        }
        let density = histogram(&net, &inputs, Pass::PROBE, 1).unwrap();
        assert!((density.iter().sum::<f64>() * BIN - 1.0).abs() < 1e-3);
        assert!((density[bins().len() / 2] - 0.396).abs() < 0.02, "{density:?}");
    }
}
