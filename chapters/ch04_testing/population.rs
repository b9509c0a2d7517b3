//! The statistics that replace the batch's at test time: moving averages, and those of a whole population.
//!
//! Of the batches B of a network whose weights do not change, each of m examples, with the mean μ_B and the biased
//! variance σ²_B:
//!
//! PreciseBN:    μ = E[μ_B],  σ² = E[μ_B² + σ²_B] − μ²       Wu & Johnson 2021 (arXiv:2105.07576), §3.1
//! Algorithm 2:  μ = E[μ_B],  σ² = m / (m − 1) · E[σ²_B]     Ioffe & Szegedy 2015 (arXiv:1502.03167), line 10
//!
//! The first is the variance of all examples together, the second the mean of unbiased estimates. Layers before are
//! normalized by their own batch, as in training.

use candle_core::{Device, Result, Tensor, bail};
use normbook::data::dataset::Split;
use normbook::net::Net;
use normbook::norm::{
    Pass,
    running::{Moments, Running},
};
use serde::{Deserialize, Serialize};

/// Mean and variance of each channel of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    pub mean: Vec<f64>,
    pub variance: Vec<f64>,
}

impl Statistics {
    /// Where moving averages begin: mean 0, variance 1.
    pub fn start(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], variance: vec![1.0; channels] }
    }

    pub fn of(moments: &Moments) -> Result<Self> {
        let values =
            |tensor: &Tensor| -> Result<Vec<f64>> { Ok(tensor.to_vec1::<f32>()?.into_iter().map(f64::from).collect()) };
        Ok(Self { mean: values(&moments.mean)?, variance: values(&moments.variance)? })
    }

    fn moments(&self, device: &Device) -> Result<Moments> {
        let tensor = |values: &[f64]| {
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            Tensor::new(values, device)
        };
        Ok(Moments { mean: tensor(&self.mean)?, variance: tensor(&self.variance)? })
    }

    /// μ̄ ← p μ̄ + (1 − p) μᵗ, as the lecture writes it, and the same for the variance: p weighs the old value. The
    /// momentum of PyTorch weighs the new one; it is 1 − p.
    // ANCHOR: follow
    pub fn follow(&mut self, batch: &Self, p: f64) {
        let toward = |average: &mut [f64], new: &[f64]| {
            for (average, new) in average.iter_mut().zip(new) {
                *average = p * *average + (1.0 - p) * new;
            }
        };
        toward(&mut self.mean, &batch.mean);
        toward(&mut self.variance, &batch.variance);
    }
    // ANCHOR_END: follow
}

/// How far statistics are from the true ones, over all channels of all layers: the root mean square error of the means,
/// in true standard deviations, and of the logarithms of the standard deviations.
pub fn distances(statistics: &[Statistics], truth: &[Statistics]) -> (f64, f64) {
    let (mut means, mut spreads, mut channels) = (0.0, 0.0, 0.0);
    for (found, true_one) in statistics.iter().zip(truth) {
        for channel in 0..true_one.mean.len() {
            let variance = true_one.variance[channel];
            means += (found.mean[channel] - true_one.mean[channel]).powi(2) / variance;
            spreads += (0.5 * libm::log(found.variance[channel] / variance)).powi(2);
            channels += 1.0;
        }
    }
    ((means / channels).sqrt(), (spreads / channels).sqrt())
}

/// Variances over the true ones, the geometric mean over the channels of a layer.
pub fn variance_ratio(statistics: &Statistics, truth: &Statistics) -> f64 {
    let logs = statistics.variance.iter().zip(&truth.variance).map(|(found, truth)| libm::log(found / truth));
    libm::exp(logs.sum::<f64>() / truth.variance.len() as f64)
}

/// What many batches say of one layer.
pub struct OverBatches {
    /// Examples of a batch.
    size: usize,
    /// E[μ_B], E[μ_B²] and E[σ²_B] of each channel.
    mean: Vec<f64>,
    square_of_mean: Vec<f64>,
    variance: Vec<f64>,
}

impl OverBatches {
    // ANCHOR: population
    /// PreciseBN.
    pub fn precise(&self) -> Statistics {
        let variance =
            |channel: usize| self.square_of_mean[channel] + self.variance[channel] - self.mean[channel].powi(2);
        Statistics { mean: self.mean.clone(), variance: (0..self.mean.len()).map(variance).collect() }
    }

    /// Algorithm 2.
    pub fn algorithm_2(&self) -> Statistics {
        let m = self.size as f64;
        let variance = self.variance.iter().map(|variance| m / (m - 1.0) * variance).collect();
        Statistics { mean: self.mean.clone(), variance }
    }

    /// Algorithm 2 without m / (m − 1).
    pub fn biased(&self) -> Statistics {
        Statistics { mean: self.mean.clone(), variance: self.variance.clone() }
    }
    // ANCHOR_END: population
}

/// Sends the examples through a network in batches of one size; what does not fill a batch is left out. For networks
/// whose channels are single values: m is then the size of the batch. One entry for each normalization.
pub fn over_batches(net: &dyn Net, examples: &Split, size: usize) -> Result<Vec<OverBatches>> {
    let count = examples.len() / size;
    if size < 2 || count == 0 {
        bail!("{} examples in batches of {size}: a population needs a batch, and a batch two examples", examples.len());
    }
    let mut sums: Vec<OverBatches> = Vec::new();
    for batch in 0..count {
        net.forward(&examples.narrow(batch * size, size)?.inputs, Pass::PROBE)?;
        for (layer, newest) in newest(net)?.into_iter().enumerate() {
            if batch == 0 {
                let zeros = vec![0.0; newest.mean.len()];
                let (mean, square_of_mean, variance) = (zeros.clone(), zeros.clone(), zeros);
                sums.push(OverBatches { size, mean, square_of_mean, variance });
            }
            let sum = &mut sums[layer];
            for (channel, (mean, unbiased)) in newest.mean.iter().zip(&newest.variance).enumerate() {
                sum.mean[channel] += mean / count as f64;
                sum.square_of_mean[channel] += mean.powi(2) / count as f64;
                sum.variance[channel] += unbiased * (size as f64 - 1.0) / size as f64 / count as f64;
            }
        }
    }
    Ok(sums)
}

/// The statistics of each layer's newest batch, with unbiased variances. Errors before the first batch.
pub fn newest(net: &dyn Net) -> Result<Vec<Statistics>> {
    let of = |running: &Running| match running.newest() {
        Some(moments) => Statistics::of(&moments),
        None => bail!("no batch has been normalized yet"),
    };
    averages(net).into_iter().map(of).collect()
}

/// The moving averages that each layer would use now.
pub fn in_use(net: &dyn Net) -> Result<Vec<Statistics>> {
    averages(net).into_iter().map(|running| Statistics::of(&running.moments()?)).collect()
}

/// Puts statistics in the place of each layer's moving averages.
pub fn put(net: &dyn Net, statistics: &[Statistics], device: &Device) -> Result<()> {
    averages(net)
        .into_iter()
        .zip(statistics)
        .try_for_each(|(running, of_layer)| running.set(&of_layer.moments(device)?))
}

/// Lets `look` do with the averages and the newest statistics what it likes, and puts everything back.
pub fn undisturbed<T>(net: &dyn Net, look: impl FnOnce() -> Result<T>) -> Result<T> {
    let keep = |running: &Running| Ok((running.moments()?, running.newest()));
    let kept = averages(net).into_iter().map(keep).collect::<Result<Vec<_>>>()?;
    let seen = look();
    for (running, (moments, newest)) in averages(net).into_iter().zip(kept) {
        running.set(&moments)?;
        if let Some(newest) = newest {
            running.saw(newest);
        }
    }
    seen
}

fn averages(net: &dyn Net) -> Vec<&Running> {
    net.norms().into_iter().filter_map(|norm| norm.running()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook::data::dataset::Targets;
    use normbook::net::{
        layer::{Activation, BlockConfig, Init, Weights},
        mlp::Mlp,
    };
    use normbook::norm::NormKind;
    use normbook_lab::seed::{Purpose, Seed};
    use normbook_ops::linear::linear;

    /// A network of one hidden layer of 3 units, and 24 examples of 5 values.
    fn net_and_examples() -> (Mlp, Split) {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let images = stream.normal_tensor((24, 1, 1, 5), 1.0, &Device::Cpu).unwrap();
        let images = (images + 0.7).unwrap();
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        let net = Mlp::new(&[5, 3, 2], BlockConfig::new(NormKind::BATCH, Activation::Relu), init).unwrap();
        let classes = Tensor::zeros(24, candle_core::DType::U32, &Device::Cpu).unwrap();
        (net, Split { inputs: images, targets: Targets::Classes(classes) })
    }

    fn column(rows: &[Vec<f32>], channel: usize) -> Vec<f64> {
        rows.iter().map(|row| f64::from(row[channel])).collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// Biased.
    fn variance(values: &[f64]) -> f64 {
        let mean = mean(values);
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
    }

    /// PreciseBN gives what all examples together have; Algorithm 2 the mean of what the batches have. By plain loops.
    #[test]
    fn populations_are_those_of_the_definition() {
        let (net, examples) = net_and_examples();
        let parameters = net.parameters();
        let (weight, bias) = (parameters[0].as_tensor(), parameters[1].as_tensor());
        let mapped = linear(&examples.inputs.flatten_from(1).unwrap(), weight, bias).unwrap();
        let rows = mapped.to_vec2::<f32>().unwrap();
        for size in [2, 6, 24] {
            let found = over_batches(&net, &examples, size).unwrap().remove(0);
            let (precise, paper, biased) = (found.precise(), found.algorithm_2(), found.biased());
            for channel in 0..3 {
                let values = column(&rows, channel);
                assert!((precise.mean[channel] - mean(&values)).abs() < 1e-6);
                assert!((precise.variance[channel] - variance(&values)).abs() < 1e-5);
                let within = mean(&values.chunks(size).map(variance).collect::<Vec<_>>());
                assert!((biased.variance[channel] - within).abs() < 1e-5);
                let m = size as f64;
                assert!((paper.variance[channel] - within * m / (m - 1.0)).abs() < 1e-5);
                assert_eq!((&paper.mean, &biased.mean), (&precise.mean, &precise.mean));
            }
        }
        assert!(over_batches(&net, &examples, 1).is_err() && over_batches(&net, &examples, 25).is_err());
    }

    /// The lecture's p = 0.9 is the layer's own momentum of 0.1.
    #[test]
    fn the_layers_averages_are_the_lectures_with_p_nine_tenths() {
        let (net, examples) = net_and_examples();
        let mut averages = in_use(&net).unwrap();
        for start in [0, 6, 12] {
            net.forward(&examples.narrow(start, 6).unwrap().inputs, Pass::TRAIN).unwrap();
            for (average, batch) in averages.iter_mut().zip(newest(&net).unwrap()) {
                average.follow(&batch, 0.9);
            }
        }
        for (ours, of_layer) in averages.iter().zip(in_use(&net).unwrap()) {
            for channel in 0..3 {
                assert!((ours.mean[channel] - of_layer.mean[channel]).abs() < 1e-6);
                assert!((ours.variance[channel] - of_layer.variance[channel]).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn what_is_put_is_used_and_then_put_back() {
        let (net, examples) = net_and_examples();
        assert!(newest(&net).is_err());
        net.forward(&examples.inputs, Pass::TRAIN).unwrap();
        let (before, seen) = (in_use(&net).unwrap(), newest(&net).unwrap());
        let others = vec![Statistics { mean: vec![1.0; 3], variance: vec![4.0; 3] }];
        undisturbed(&net, || {
            put(&net, &others, &Device::Cpu)?;
            assert_eq!(in_use(&net)?, others);
            over_batches(&net, &examples, 6).map(drop)
        })
        .unwrap();
        assert_eq!((in_use(&net).unwrap(), newest(&net).unwrap()), (before, seen));
    }

    /// Means are off by 3 at standard deviation 2, standard deviations by the factor e.
    #[test]
    fn distances_are_in_deviations() {
        let truth = [Statistics { mean: vec![1.0, 0.0], variance: vec![4.0, 1.0] }];
        let e = std::f64::consts::E;
        let found = [Statistics { mean: vec![4.0, 0.0], variance: vec![4.0 * e * e, 1.0] }];
        let (of_means, of_spreads) = distances(&found, &truth);
        assert!((of_means - (1.5f64.powi(2) / 2.0).sqrt()).abs() < 1e-12);
        assert!((of_spreads - 0.5f64.sqrt()).abs() < 1e-12);
        assert_eq!(distances(&truth, &truth), (0.0, 0.0));
        assert!((variance_ratio(&found[0], &truth[0]) - e).abs() < 1e-12);
    }
}
