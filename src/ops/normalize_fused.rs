//! The fused kernel of [`normalize`](super::normalize): statistics, normalization and what follows, set by set, while
//! the set is in the cache.

use super::{
    array::Array,
    element::{Element, sum, vectorized},
    kernel::Kernel,
    normalize::{Divisor, Normalization, Over, Statistics, Then},
    pool::{Kind, Pool, Shared},
};
use candle_core::{Result, Shape, bail};
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};

/// The kernel.
pub(super) struct Normalize {
    pub how: Normalization,
    pub then: Then,
    pub statistics: Arc<OnceLock<Statistics>>,
}

/// `[N, C, ..]` as runs, one for each channel of each example, and each set as some of the runs.
struct Runs {
    channels: usize,
    /// Values of a run.
    length: usize,
    sets: usize,
    /// Runs of a set, and how many runs the next one is away.
    of_set: usize,
    step: usize,
}

impl Runs {
    fn new(dims: &[usize], over: Over) -> Self {
        let (examples, channels) = (dims[0], dims[1]);
        let length = dims[2..].iter().product();
        let (sets, of_set, step) = match over {
            Over::Batch => (channels, examples, channels),
            Over::Groups(groups) => (examples * groups, channels / groups, 1),
        };
        Self { channels, length, sets, of_set, step }
    }

    /// The indices of a set's runs.
    fn indices(&self, set: usize) -> impl Iterator<Item = usize> {
        let first = if self.step == 1 { set * self.of_set } else { set };
        (0..self.of_set).map(move |run| first + run * self.step)
    }

    /// A set's runs and their channels.
    fn of<'a, T>(&self, set: usize, values: &'a [T]) -> impl Iterator<Item = (usize, &'a [T])> {
        self.indices(set).map(move |run| (run % self.channels, &values[run * self.length..][..self.length]))
    }

    /// The runs of each set.
    fn split_mut<'a, T>(&self, values: &'a mut [T]) -> Vec<Vec<&'a mut [T]>> {
        let mut sets: Vec<Vec<&mut [T]>> = (0..self.sets).map(|_| Vec::with_capacity(self.of_set)).collect();
        let count = self.sets * self.of_set;
        for (run, values) in values.chunks_mut(values.len() / count).enumerate() {
            sets[if self.step == 1 { run / self.of_set } else { run % self.sets }].push(values);
        }
        sets
    }

    /// Values of a set.
    fn size(&self) -> f64 {
        (self.of_set * self.length) as f64
    }

    /// Sets that are worth a task.
    fn sets_of_task(&self) -> usize {
        (1usize << 15).div_ceil(self.of_set * self.length)
    }
}

impl Normalize {
    /// d from the spread.
    fn divisor(&self, spread: f64) -> f64 {
        match self.how.divisor {
            Divisor::Deviation => (spread + self.how.epsilon).sqrt(),
            _ => spread + self.how.epsilon,
        }
    }

    fn affine<T: Element>(&self, weight: T, bias: T, (mean, spread): (f64, f64)) -> Affine<T> {
        let scale = weight / T::from_f64(self.divisor(spread));
        Affine { center: T::from_f64(mean), scale, shift: bias }
    }

    fn pooling(&self) -> Pool {
        Pool { window: self.then.window, kind: Kind::Maximum }
    }

    /// Room for a normalized run that is still to be pooled.
    fn room<T: Element>(&self, runs: &Runs) -> Vec<T> {
        vec![T::zero(); if self.then.window > 1 { runs.length } else { 0 }]
    }

    fn out_dims(&self, dims: &[usize]) -> Vec<usize> {
        let pooled = |(axis, size): (usize, &usize)| if axis < 2 { *size } else { size / self.then.window };
        dims.iter().enumerate().map(pooled).collect()
    }

    /// μ and the spread of a set.
    fn measure<T: Element>(&self, runs: &Runs, set: usize, values: &[T]) -> (f64, f64) {
        let total = |term: &dyn Fn(&[T]) -> T| runs.of(set, values).map(|(_, run)| term(run).to_f64()).sum::<f64>();
        let mean = total(&|run| vectorized(|| sum(run.len(), |i| run[i]))) / runs.size();
        let spread = match self.how.divisor {
            Divisor::Deviation => {
                let mean = T::from_f64(mean);
                total(&|run| vectorized(|| sum(run.len(), |i| (run[i] - mean) * (run[i] - mean)))) / runs.size()
            }
            Divisor::MeanAbsolute => total(&|run| vectorized(|| sum(run.len(), |i| run[i].abs()))) / runs.size(),
            Divisor::RootMeanSquare => {
                (total(&|run| vectorized(|| sum(run.len(), |i| run[i] * run[i]))) / runs.size()).sqrt()
            }
            Divisor::MaxAbsolute => {
                let values = runs.of(set, values).flat_map(|(_, run)| run);
                let larger = |maximum: T, value: &T| {
                    let size = value.abs();
                    if size > maximum || size.is_nan() { size } else { maximum }
                };
                values.fold(T::zero(), larger).to_f64()
            }
        };
        (mean, spread)
    }

    /// What ∂d/∂x = factor · u needs besides u, which is x − μ, the sign of x, x, or its sign where |x| is the maximum.
    fn slope<T: Element>(&self, runs: &Runs, set: usize, values: &[T], spread: f64) -> f64 {
        match self.how.divisor {
            Divisor::Deviation => 1.0 / (runs.size() * self.divisor(spread)),
            Divisor::MeanAbsolute => 1.0 / runs.size(),
            // The root has no derivative at 0; 0 is taken for it.
            Divisor::RootMeanSquare if spread == 0.0 => 0.0,
            Divisor::RootMeanSquare => 1.0 / (runs.size() * spread),
            Divisor::MaxAbsolute => {
                let at_maximum = |x: &&T| x.abs() == T::from_f64(spread);
                1.0 / runs.of(set, values).flat_map(|(_, run)| run).filter(at_maximum).count() as f64
            }
        }
    }
}

/// `values` = `scale` · `values` − `constant` − `along` · u(x).
fn combine<T: Element>(values: &mut [T], x: &[T], [scale, constant, along]: [T; 3], u: impl Fn(T) -> T) {
    vectorized(|| {
        for (value, x) in values.iter_mut().zip(x) {
            *value = scale * *value - (constant + along * u(*x));
        }
    });
}

/// max(0, y); NaN stays NaN.
#[inline(always)]
fn positive<T: Element>(y: T) -> T {
    if y <= T::zero() { T::zero() } else { y }
}

/// The gradient of ReLU's input, written to `room`.
fn where_positive<'a, T: Element>(y: &[T], upstream: &[T], room: &'a mut Vec<T>) -> &'a [T] {
    room.resize(y.len(), T::zero());
    vectorized(|| {
        for ((masked, y), upstream) in room.iter_mut().zip(y).zip(upstream) {
            *masked = if *y <= T::zero() { T::zero() } else { *upstream };
        }
    });
    room
}

/// y = scale (x − center) + shift: normalization of a set's values in one channel.
struct Affine<T> {
    center: T,
    scale: T,
    shift: T,
}

impl<T: Element> Affine<T> {
    fn apply(&self, from: &[T], to: &mut [T], then: impl Fn(T) -> T) {
        vectorized(|| {
            for (to, x) in to.iter_mut().zip(from) {
                *to = then(self.scale * (*x - self.center) + self.shift);
            }
        });
    }
}

fn sign<T: Element>(x: T) -> T {
    if x > T::zero() {
        T::one()
    } else if x < T::zero() {
        -T::one()
    } else {
        x // 0 or NaN
    }
}

impl Kernel<3> for Normalize {
    const NAME: &'static str = "normalize";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let runs = Runs::new(input.dims, self.how.over);
        let out_dims = self.out_dims(input.dims);
        let mut out = vec![T::zero(); out_dims.iter().product()];
        let statistics: Vec<(f64, f64)> = runs
            .split_mut(&mut out)
            .into_par_iter()
            .enumerate()
            .with_min_len(runs.sets_of_task())
            .map(|(set, out)| {
                let (mean, spread) = self.measure(&runs, set, input.values);
                let mut normalized = self.room(&runs);
                for (out, (channel, run)) in out.into_iter().zip(runs.of(set, input.values)) {
                    let affine = self.affine(weight.values[channel], bias.values[channel], (mean, spread));
                    if self.then.window > 1 {
                        affine.apply(run, &mut normalized, |y| y);
                        self.pooling().pool(&normalized, input.dims[3], out);
                        if self.then.relu {
                            vectorized(|| out.iter_mut().for_each(|y| *y = positive(*y)));
                        }
                    } else if self.then.relu {
                        affine.apply(run, out, positive);
                    } else {
                        affine.apply(run, out, |y| y);
                    }
                }
                (mean, spread)
            })
            .collect();
        let (mean, spread) = statistics.into_iter().unzip();
        self.statistics.get_or_init(|| Statistics { values_of_set: runs.of_set * runs.length, mean, spread });
        Ok((out, out_dims.into()))
    }

    fn backward<T: Element>(
        &self,
        inputs: [Array<'_, T>; 3],
        output: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let Some(statistics) = self.statistics.get() else { bail!("normalize: backward before forward") };
        let runs = &Runs::new(inputs[0].dims, self.how.over);
        let pass = Backward { normalize: self, runs, statistics, inputs, output, upstream };
        let mut of_input = vec![T::zero(); inputs[0].values.len()];
        let of_parameters: Vec<Vec<(f64, f64)>> = runs
            .split_mut(&mut of_input)
            .into_par_iter()
            .enumerate()
            .with_min_len(runs.sets_of_task())
            .map(|(set, mut out)| {
                let sums = pass.sums(set, &mut out);
                pass.finish(set, &sums, &mut out);
                let divisor = self.divisor(statistics.spread[set]);
                sums.into_iter().map(|(g, gc)| (gc / divisor, g)).collect()
            })
            .collect();
        let mut totals = vec![(0.0, 0.0); runs.channels];
        for (set, sums) in of_parameters.iter().enumerate() {
            for (run, (of_weight, of_bias)) in runs.indices(set).zip(sums) {
                let total = &mut totals[run % runs.channels];
                *total = (total.0 + of_weight, total.1 + of_bias);
            }
        }
        Ok([
            wanted[0].then_some(of_input),
            wanted[1].then(|| totals.iter().map(|total| T::from_f64(total.0)).collect()),
            wanted[2].then(|| totals.iter().map(|total| T::from_f64(total.1)).collect()),
        ])
    }
}

/// A backward pass. With g the gradient of what was normalized, h = γ g, c = x − μ, and ⟨·⟩ the mean over a set of M values:
/// ∂x = (h − ⟨h⟩) / d − M ⟨h c⟩ / d² · ∂d/∂x, ∂γ = Σ g c / d, ∂β = Σ g, both over examples and space.
struct Backward<'a, T> {
    normalize: &'a Normalize,
    runs: &'a Runs,
    statistics: &'a Statistics,
    /// x, γ, β.
    inputs: [Array<'a, T>; 3],
    /// What followed the normalization gave this, and this is its gradient.
    output: &'a [T],
    upstream: &'a [T],
}

impl<T: Element> Backward<'_, T> {
    /// Of each run of a set Σ g and Σ g c. Leaves g in `out`.
    fn sums(&self, set: usize, out: &mut [&mut [T]]) -> Vec<(f64, f64)> {
        let &Self { normalize, runs, statistics, inputs: [input, weight, bias], .. } = self;
        let Then { window, relu } = normalize.then;
        let of_set = (statistics.mean[set], statistics.spread[set]);
        let center = T::from_f64(of_set.0);
        let later = self.upstream.len() / (runs.sets * runs.of_set);
        let (mut normalized, mut masked) = (normalize.room(runs), Vec::new());
        let runs_of_set = runs.indices(set).zip(out.iter_mut()).zip(runs.of(set, input.values));
        let mut sums = Vec::with_capacity(runs.of_set);
        for ((run, out), (channel, x)) in runs_of_set {
            let (y, upstream) = (&self.output[run * later..][..later], &self.upstream[run * later..][..later]);
            let upstream = if relu { where_positive(y, upstream, &mut masked) } else { upstream };
            if window > 1 {
                let affine = normalize.affine(weight.values[channel], bias.values[channel], of_set);
                affine.apply(x, &mut normalized, |y| y);
                // Where ReLU hid the maximum, there is no gradient to share.
                let shared = Shared { plane: &normalized, width: input.dims[3], pooled: y, upstream };
                normalize.pooling().share(shared, out);
            } else {
                out.copy_from_slice(upstream);
            }
            sums.push(vectorized(|| {
                let of_upstream = sum(out.len(), |i| out[i]);
                (of_upstream.to_f64(), sum(out.len(), |i| out[i] * (x[i] - center)).to_f64())
            }));
        }
        sums
    }

    /// Turns g in `out` into the gradient of x.
    fn finish(&self, set: usize, sums: &[(f64, f64)], out: &mut [&mut [T]]) {
        let &Self { normalize, runs, statistics, inputs: [input, weight, _], .. } = self;
        let (mean, spread) = (statistics.mean[set], statistics.spread[set]);
        let (center, maximum) = (T::from_f64(mean), T::from_f64(spread));
        let divisor = normalize.divisor(spread);
        let weights = runs.of(set, input.values).map(|(channel, _)| weight.values[channel].to_f64());
        let (of_scaled, of_product) =
            weights.zip(sums).fold((0.0, 0.0), |(h, hc), (weight, (g, gc))| (h + weight * g, hc + weight * gc));
        let constant = T::from_f64(of_scaled / (runs.size() * divisor));
        let slope = normalize.slope(runs, set, input.values, spread);
        let along = T::from_f64(of_product / (divisor * divisor) * slope);
        for (out, (channel, x)) in out.iter_mut().zip(runs.of(set, input.values)) {
            let factors = [weight.values[channel] / T::from_f64(divisor), constant, along];
            match normalize.how.divisor {
                Divisor::Deviation => combine(out, x, factors, |x| x - center),
                Divisor::MeanAbsolute => combine(out, x, factors, sign),
                Divisor::RootMeanSquare => combine(out, x, factors, |x| x),
                Divisor::MaxAbsolute => {
                    combine(out, x, factors, |x| if x.abs() == maximum { sign(x) } else { T::zero() });
                }
            }
        }
    }
}
