//! The forward pass of the fused kernel: the statistics of each plane, those of each set from them, and the output.

use super::{
    affine::Affine,
    config::{Epilogue, Normalization, ScaleStatistic},
    partition::Partition,
    statistics::SetStatistics,
};
use crate::{
    element::Element,
    vector::{sum, sums, vectorized},
};
use num_traits::Float;
use rayon::prelude::*;

/// A forward pass.
pub struct Forward<'a, T> {
    pub config: Normalization,
    pub epilogue: Epilogue,
    pub partition: &'a Partition,
    /// Width of the images, which pooling needs.
    pub width: usize,
    /// γ, `[C]`.
    pub weight: &'a [T],
    /// β, `[C]`.
    pub bias: &'a [T],
}

impl<T: Element> Forward<'_, T> {
    /// Writes the output for `input` to `out` and returns the statistics of all sets.
    pub fn run(&self, input: &[T], out: &mut [T]) -> Vec<SetStatistics> {
        let partition = self.partition;
        let chunks = input.len() / partition.values_per_chunk();
        let statistics: Vec<Vec<SetStatistics>> = out
            .par_chunks_mut(out.len() / chunks)
            .zip(input.par_chunks(partition.values_per_chunk()))
            .with_min_len(partition.chunks_per_task())
            .map(|(out, input)| self.chunk(input, out))
            .collect();
        statistics.concat()
    }

    /// Writes the output for a chunk to `out` and returns the statistics of its sets.
    fn chunk(&self, input: &[T], out: &mut [T]) -> Vec<SetStatistics> {
        let partition = self.partition;
        let planes = || input.par_chunks(partition.plane).with_min_len(partition.planes_per_task());
        let of_planes: Vec<SetStatistics> = planes().map(|plane| self.statistics_of_plane(plane)).collect();
        let sets = self.statistics_of_sets(&of_planes);
        let out_plane = out.len() / of_planes.len();
        planes().enumerate().zip(out.par_chunks_mut(out_plane)).for_each_init(Vec::new, |buffer, ((plane, x), out)| {
            let channel = partition.channel_of(plane);
            let set = sets[partition.set_of(plane)];
            let affine = Affine::new(self.config, set, self.weight[channel], self.bias[channel]);
            match (self.epilogue.pool(), self.epilogue.relu) {
                (Some(pool), relu) => {
                    buffer.resize(x.len(), T::zero());
                    affine.apply(x, buffer, |y| y);
                    pool.forward_plane(buffer, self.width, out);
                    if relu {
                        vectorized(|| out.iter_mut().for_each(|y| *y = positive(*y)));
                    }
                }
                (None, true) => affine.apply(x, out, positive),
                (None, false) => affine.apply(x, out, |y| y),
            }
        });
        sets
    }

    /// Returns the statistics of a plane. Its deviations are taken from its own mean while it is in the cache.
    fn statistics_of_plane(&self, plane: &[T]) -> SetStatistics {
        let size = plane.len() as f64;
        let mean_of = |total: T| total.to_f64() / size;
        vectorized(|| {
            if self.config.scale == ScaleStatistic::Uncentered {
                return SetStatistics { mean: 0.0, scale_stat: mean_of(sum(plane.len(), |i| plane[i] * plane[i])) };
            }
            let rough_mean = mean_of(sum(plane.len(), |i| plane[i]));
            let center = T::from_f64(rough_mean);
            // `rest` is the error of the rough mean: a sum of large values is rounded.
            let terms = |i: usize| [plane[i] - center, (plane[i] - center) * (plane[i] - center)];
            let [rest, squares] = sums(plane.len(), terms).map(mean_of);
            let scale_stat = match self.config.scale {
                ScaleStatistic::StandardDeviation | ScaleStatistic::Uncentered => squares - rest * rest,
                ScaleStatistic::MeanAbsolute => mean_of(sum(plane.len(), |i| plane[i].abs())),
                ScaleStatistic::RootMeanSquare => mean_of(sum(plane.len(), |i| plane[i] * plane[i])).sqrt(),
                ScaleStatistic::MaxAbsolute => plane.iter().map(|x| x.abs()).fold(T::zero(), larger).to_f64(),
            };
            SetStatistics { mean: center.to_f64() + rest, scale_stat }
        })
    }

    /// Returns the statistics of each set of a chunk from those of its planes, which all have the same size.
    fn statistics_of_sets(&self, of_planes: &[SetStatistics]) -> Vec<SetStatistics> {
        let mut sets = vec![SetStatistics::default(); self.partition.sets_per_chunk()];
        let share = 1.0 / self.partition.planes_per_set as f64;
        for (plane, of_plane) in of_planes.iter().enumerate() {
            sets[self.partition.set_of(plane)].mean += of_plane.mean * share;
        }
        for (plane, of_plane) in of_planes.iter().enumerate() {
            let SetStatistics { mean, scale_stat } = &mut sets[self.partition.set_of(plane)];
            match self.config.scale {
                ScaleStatistic::StandardDeviation | ScaleStatistic::Uncentered => {
                    *scale_stat += (of_plane.scale_stat + (of_plane.mean - *mean).powi(2)) * share;
                }
                ScaleStatistic::MeanAbsolute => *scale_stat += of_plane.scale_stat * share,
                ScaleStatistic::RootMeanSquare => *scale_stat = scale_stat.hypot(of_plane.scale_stat * share.sqrt()),
                ScaleStatistic::MaxAbsolute => *scale_stat = larger(*scale_stat, of_plane.scale_stat),
            }
        }
        sets
    }
}

/// Returns the larger of two sizes, or NaN if one is.
#[inline(always)]
fn larger<F: Float>(a: F, b: F) -> F {
    if b > a || b.is_nan() { b } else { a }
}

/// Returns max(0, y); NaN stays NaN.
#[inline(always)]
fn positive<T: Element>(y: T) -> T {
    if y <= T::zero() { T::zero() } else { y }
}
