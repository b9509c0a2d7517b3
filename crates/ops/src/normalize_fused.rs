//! The fused kernel of [`normalize`](super::normalize): its statistics and its forward pass.

use super::{
    array::Array,
    element::{Element, sum, sums, vectorized},
    kernel::Kernel,
    normalize::{Epilogue, Normalization, ScaleStatistic, Statistics},
    normalize_backward::Backward,
    normalize_runs::Runs,
    pool::{Pool, PoolKind},
};
use candle_core::{Result, Shape, bail};
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};

/// The kernel.
pub(super) struct Normalize {
    pub how: Normalization,
    pub then: Epilogue,
    pub statistics: Arc<OnceLock<Statistics>>,
}

/// μ and the spread of some values: σ², the mean square, or the divisor without ε.
#[derive(Clone, Copy, Default)]
pub(super) struct OfSet {
    pub mean: f64,
    pub spread: f64,
}

impl Normalize {
    /// d from the spread.
    pub fn divisor(&self, spread: f64) -> f64 {
        match self.how.divisor {
            ScaleStatistic::Deviation | ScaleStatistic::Uncentred => (spread + self.how.epsilon).sqrt(),
            _ => spread + self.how.epsilon,
        }
    }

    pub fn affine<T: Element>(&self, weight: T, bias: T, of_set: OfSet) -> Affine<T> {
        let scale = weight / T::from_f64(self.divisor(of_set.spread));
        Affine { center: T::from_f64(of_set.mean), scale, shift: bias }
    }

    pub fn pooling(&self) -> Pool {
        Pool { window: self.then.window, kind: PoolKind::Maximum }
    }

    /// Room for a normalized run that is still to be pooled.
    pub fn room<T: Element>(&self, runs: &Runs) -> Vec<T> {
        vec![T::zero(); if self.then.window > 1 { runs.length } else { 0 }]
    }

    fn out_dims(&self, dims: &[usize]) -> Vec<usize> {
        let pooled = |(axis, size): (usize, &usize)| if axis < 2 { *size } else { size / self.then.window };
        dims.iter().enumerate().map(pooled).collect()
    }

    /// Of one run. Its deviations are taken from its own mean while it is in the cache.
    fn of_run<T: Element>(&self, run: &[T]) -> OfSet {
        let size = run.len() as f64;
        let of = |total: T| total.to_f64() / size;
        vectorized(|| {
            if self.how.divisor == ScaleStatistic::Uncentred {
                return OfSet { mean: 0.0, spread: of(sum(run.len(), |i| run[i] * run[i])) };
            }
            let roughly = of(sum(run.len(), |i| run[i]));
            let center = T::from_f64(roughly);
            // `rest`: what the rounding of a sum of large values left over.
            let [rest, squares] = sums(run.len(), |i| [run[i] - center, (run[i] - center) * (run[i] - center)]).map(of);
            let spread = match self.how.divisor {
                ScaleStatistic::Deviation | ScaleStatistic::Uncentred => squares - rest * rest,
                ScaleStatistic::MeanAbsolute => of(sum(run.len(), |i| run[i].abs())),
                ScaleStatistic::RootMeanSquare => of(sum(run.len(), |i| run[i] * run[i])).sqrt(),
                ScaleStatistic::MaxAbsolute => run.iter().map(|x| x.abs()).fold(T::zero(), larger).to_f64(),
            };
            OfSet { mean: center.to_f64() + rest, spread }
        })
    }

    /// Of each set of a block from its runs, all of one length.
    fn of_sets(&self, runs: &Runs, of_runs: &[OfSet]) -> Vec<OfSet> {
        let mut of_sets = vec![OfSet::default(); runs.sets_of_block()];
        let share = 1.0 / runs.of_set as f64;
        for (run, of_run) in of_runs.iter().enumerate() {
            of_sets[runs.set_in_block(run)].mean += of_run.mean * share;
        }
        for (run, of_run) in of_runs.iter().enumerate() {
            let OfSet { mean, spread } = &mut of_sets[runs.set_in_block(run)];
            match self.how.divisor {
                ScaleStatistic::Deviation | ScaleStatistic::Uncentred => {
                    *spread += (of_run.spread + (of_run.mean - *mean).powi(2)) * share;
                }
                ScaleStatistic::MeanAbsolute => *spread += of_run.spread * share,
                ScaleStatistic::RootMeanSquare => *spread = spread.hypot(of_run.spread * share.sqrt()),
                ScaleStatistic::MaxAbsolute => *spread = larger(*spread, of_run.spread),
            }
        }
        of_sets
    }

    /// Normalizes a block, and gives the statistics of its sets.
    fn forward_block<T: Element>(
        &self,
        runs: &Runs,
        input: &[T],
        [weight, bias]: [&[T]; 2],
        width: usize,
        out: &mut [T],
    ) -> Vec<OfSet> {
        let input = || input.par_chunks(runs.length).with_min_len(runs.of_task());
        let of_runs: Vec<OfSet> = input().map(|run| self.of_run(run)).collect();
        let of_sets = self.of_sets(runs, &of_runs);
        let each = |normalized: &mut Vec<T>, ((run, x), out): ((usize, &[T]), &mut [T])| {
            let channel = runs.channel(run);
            let affine = self.affine(weight[channel], bias[channel], of_sets[runs.set_in_block(run)]);
            if self.then.window > 1 {
                affine.apply(x, normalized, |y| y);
                self.pooling().pool(normalized, width, out);
                if self.then.relu {
                    vectorized(|| out.iter_mut().for_each(|y| *y = positive(*y)));
                }
            } else if self.then.relu {
                affine.apply(x, out, positive);
            } else {
                affine.apply(x, out, |y| y);
            }
        };
        let later = out.len() / of_runs.len();
        input().enumerate().zip(out.par_chunks_mut(later)).for_each_init(|| self.room(runs), each);
        of_sets
    }
}

/// The larger of two sizes; NaN if one is.
#[inline(always)]
fn larger<F: num_traits::Float>(a: F, b: F) -> F {
    if b > a || b.is_nan() { b } else { a }
}

/// max(0, y); NaN stays NaN.
#[inline(always)]
fn positive<T: Element>(y: T) -> T {
    if y <= T::zero() { T::zero() } else { y }
}

/// y = scale (x − center) + shift: normalization of a set's values in one channel.
pub(super) struct Affine<T> {
    center: T,
    scale: T,
    shift: T,
}

impl<T: Element> Affine<T> {
    pub fn apply(&self, from: &[T], to: &mut [T], then: impl Fn(T) -> T) {
        vectorized(|| {
            for (to, x) in to.iter_mut().zip(from) {
                *to = then(self.scale * (*x - self.center) + self.shift);
            }
        });
    }
}

impl Kernel<3> for Normalize {
    const NAME: &'static str = "normalize";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let runs = &Runs::new(input.dims, self.how.over);
        let out_dims = self.out_dims(input.dims);
        let mut out = vec![T::zero(); out_dims.iter().product()];
        let (parameters, width) = ([weight.values, bias.values], input.dims.last().copied().unwrap_or(1));
        let of_sets: Vec<Vec<OfSet>> = out
            .par_chunks_mut(runs.of_block * (out_dims[2..].iter().product::<usize>()))
            .zip(input.values.par_chunks(runs.of_block * runs.length))
            .with_min_len(runs.blocks_of_task())
            .map(|(out, input)| self.forward_block(runs, input, parameters, width, out))
            .collect();
        self.statistics.get_or_init(|| Statistics {
            values_of_set: runs.of_set * runs.length,
            mean: of_sets.iter().flatten().map(|of_set| of_set.mean).collect(),
            spread: of_sets.iter().flatten().map(|of_set| of_set.spread).collect(),
        });
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
        let runs = Runs::new(inputs[0].dims, self.how.over);
        let (of_input, of_parameters) =
            Backward { normalize: self, runs, statistics, inputs, output, upstream }.gradients();
        let parameter =
            |gradient: fn(&[f64; 2]) -> f64| of_parameters.iter().map(|of| T::from_f64(gradient(of))).collect();
        Ok([
            wanted[0].then_some(of_input),
            wanted[1].then(|| parameter(|[of_weight, _]| *of_weight)),
            wanted[2].then(|| parameter(|[_, of_bias]| *of_bias)),
        ])
    }
}
