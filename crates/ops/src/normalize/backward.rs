//! The backward pass of the fused kernel.
//!
//! ∂x = (h − ⟨h⟩) / d − M ⟨h c⟩ / d² · ∂d/∂x
//! ∂γ = Σ g c / d, ∂β = Σ g, both over examples and space
//!
//! g is the gradient of the normalized values, h = γ g, c = x − μ, and ⟨·⟩ is the mean over a set of M values. Where no
//! mean is subtracted, ⟨h⟩ is left out.

use super::{
    affine::Affine,
    config::{Epilogue, Normalization, ScaleStatistic},
    partition::Partition,
    statistics::SetStatistics,
};
use crate::{
    array::Array,
    element::Element,
    pool::PooledPlane,
    vector::{sums, vectorized},
};
use rayon::prelude::*;

/// A backward pass.
pub struct Backward<'a, T> {
    pub config: Normalization,
    pub epilogue: Epilogue,
    pub partition: Partition,
    /// The statistics of all sets.
    pub sets: &'a [SetStatistics],
    /// x, γ, β.
    pub inputs: [Array<'a, T>; 3],
    /// The output of the epilogue, and its gradient.
    pub output: &'a [T],
    pub upstream: &'a [T],
}

/// A plane: its channel, its x, and the output of the epilogue with its gradient.
struct Plane<'a, T> {
    channel: usize,
    x: &'a [T],
    output: &'a [T],
    upstream: &'a [T],
}

/// Sums over a plane.
#[derive(Clone, Copy)]
struct PlaneSums {
    /// Σ g.
    g: f64,
    /// Σ g c.
    gc: f64,
    /// Number of values that equal the set's maximum, counted where that is the scale.
    maxima: usize,
}

/// The constants of a set in ∂x = γ g / d − constant − slope · u, where ∂d/∂x is a multiple of u: x − μ, the sign of x,
/// x, or its sign where |x| is the maximum.
#[derive(Clone, Copy)]
struct SetConstants<T> {
    divisor: T,
    center: T,
    maximum: T,
    constant: T,
    slope: T,
}

impl<T: Element> Backward<'_, T> {
    /// Returns ∂x, and ∂γ and ∂β of each channel.
    pub fn run(&self) -> (Vec<T>, Vec<[f64; 2]>) {
        let partition = &self.partition;
        let mut grad_input = vec![T::zero(); self.inputs[0].values.len()];
        let of_chunks: Vec<Vec<[f64; 2]>> = grad_input
            .par_chunks_mut(partition.values_per_chunk())
            .enumerate()
            .with_min_len(partition.chunks_per_task())
            .map(|(chunk, out)| self.chunk(chunk, out))
            .collect();
        let mut totals = vec![[0.0; 2]; partition.channels];
        for of_chunk in of_chunks {
            for (plane, [grad_weight, grad_bias]) in of_chunk.into_iter().enumerate() {
                let total = &mut totals[partition.channel_of(plane)];
                *total = [total[0] + grad_weight, total[1] + grad_bias];
            }
        }
        (grad_input, totals)
    }

    /// Writes ∂x of a chunk to `out` and returns the terms of ∂γ and ∂β of each of its planes.
    fn chunk(&self, chunk: usize, out: &mut [T]) -> Vec<[f64; 2]> {
        let partition = &self.partition;
        let sets = &self.sets[chunk * partition.sets_per_chunk()..][..partition.sets_per_chunk()];
        let plane = |plane| self.plane(chunk * partition.planes_per_chunk + plane);
        let sums: Vec<PlaneSums> = out
            .par_chunks_mut(partition.plane)
            .enumerate()
            .with_min_len(partition.planes_per_task())
            .map_init(Default::default, |buffers, (index, out)| {
                self.sums(&plane(index), sets[partition.set_of(index)], buffers, out)
            })
            .collect();
        let constants = self.constants(sets, &sums);
        out.par_chunks_mut(partition.plane)
            .enumerate()
            .with_min_len(partition.planes_per_task())
            .for_each(|(index, out)| self.write_gradient(&plane(index), constants[partition.set_of(index)], out));
        let parameter_terms = |(index, sums): (usize, &PlaneSums)| {
            let divisor = self.config.divisor(sets[partition.set_of(index)].scale_stat);
            [sums.gc / divisor, sums.g]
        };
        sums.iter().enumerate().map(parameter_terms).collect()
    }

    /// Returns the plane at `index` of the batch.
    fn plane(&self, index: usize) -> Plane<'_, T> {
        let x = self.inputs[0].values;
        let size = self.partition.plane;
        let out_size = self.upstream.len() * size / x.len();
        Plane {
            channel: self.partition.channel_of(index),
            x: &x[index * size..][..size],
            output: &self.output[index * out_size..][..out_size],
            upstream: &self.upstream[index * out_size..][..out_size],
        }
    }

    /// Returns the sums of a plane. Leaves g in `out` unless there is no epilogue and g is the upstream gradient.
    fn sums(
        &self,
        plane: &Plane<T>,
        set: SetStatistics,
        [normalized, masked]: &mut [Vec<T>; 2],
        out: &mut [T],
    ) -> PlaneSums {
        let &Plane { channel, x, output, upstream } = plane;
        let upstream = if self.epilogue.relu { where_positive(output, upstream, masked) } else { upstream };
        if let Some(pool) = self.epilogue.pool() {
            let [input, weight, bias] = self.inputs;
            normalized.resize(x.len(), T::zero());
            Affine::new(self.config, set, weight.values[channel], bias.values[channel]).apply(x, normalized, |y| y);
            // A maximum that ReLU set to 0 has no gradient, so it does not matter which value receives it.
            let pooled = PooledPlane { plane: normalized, width: input.dims[3], pooled: output, upstream };
            pool.backward_plane(pooled, out);
        } else if self.epilogue.relu {
            out.copy_from_slice(upstream);
        }
        let g = if self.epilogue == Epilogue::NOTHING { upstream } else { out };
        let center = T::from_f64(set.mean);
        let [g, gc] = vectorized(|| sums(g.len(), |i| [g[i], g[i] * (x[i] - center)])).map(|sum| sum.to_f64());
        let maxima = match self.config.scale {
            ScaleStatistic::MaxAbsolute => x.iter().filter(|x| x.abs() == T::from_f64(set.scale_stat)).count(),
            _ => 0,
        };
        PlaneSums { g, gc, maxima }
    }

    /// Returns the constants of each set of a chunk, from the sums of its planes.
    fn constants(&self, sets: &[SetStatistics], sums: &[PlaneSums]) -> Vec<SetConstants<T>> {
        let mut totals = vec![(0.0, 0.0, 0); sets.len()];
        for (plane, PlaneSums { g, gc, maxima }) in sums.iter().enumerate() {
            let weight = self.inputs[1].values[self.partition.channel_of(plane)].to_f64();
            let total = &mut totals[self.partition.set_of(plane)];
            *total = (total.0 + weight * g, total.1 + weight * gc, total.2 + maxima);
        }
        let size = self.partition.values_per_set() as f64;
        let of_set = |(set, (h, hc, maxima)): (&SetStatistics, (f64, f64, usize))| {
            let divisor = self.config.divisor(set.scale_stat);
            let constant = match self.config.scale {
                ScaleStatistic::Uncentered => 0.0,
                _ => h / (size * divisor),
            };
            SetConstants {
                divisor: T::from_f64(divisor),
                center: T::from_f64(set.mean),
                maximum: T::from_f64(set.scale_stat),
                constant: T::from_f64(constant),
                slope: T::from_f64(hc / (divisor * divisor) * self.divisor_slope(set.scale_stat, maxima)),
            }
        };
        sets.iter().zip(totals).map(of_set).collect()
    }

    /// Returns (∂d/∂x) / u.
    fn divisor_slope(&self, scale_stat: f64, maxima: usize) -> f64 {
        let size = self.partition.values_per_set() as f64;
        match self.config.scale {
            ScaleStatistic::StandardDeviation | ScaleStatistic::Uncentered => {
                1.0 / (size * self.config.divisor(scale_stat))
            }
            ScaleStatistic::MeanAbsolute => 1.0 / size,
            // The root has no derivative at 0; its gradient is set to 0 there.
            ScaleStatistic::RootMeanSquare if scale_stat == 0.0 => 0.0,
            ScaleStatistic::RootMeanSquare => 1.0 / (size * scale_stat),
            ScaleStatistic::MaxAbsolute => 1.0 / maxima as f64,
        }
    }

    /// Writes ∂x of a plane to `out`, which holds g as [`sums`](Self::sums) left it.
    fn write_gradient(&self, plane: &Plane<T>, constants: SetConstants<T>, out: &mut [T]) {
        let SetConstants { divisor, center, maximum, constant, slope } = constants;
        let factors = [self.inputs[1].values[plane.channel] / divisor, constant, slope];
        let g = (self.epilogue == Epilogue::NOTHING).then_some(plane.upstream);
        match self.config.scale {
            ScaleStatistic::StandardDeviation => combine(out, g, plane.x, factors, |x| x - center),
            ScaleStatistic::MeanAbsolute => combine(out, g, plane.x, factors, sign),
            ScaleStatistic::RootMeanSquare | ScaleStatistic::Uncentered => combine(out, g, plane.x, factors, |x| x),
            ScaleStatistic::MaxAbsolute => {
                combine(out, g, plane.x, factors, |x| if x.abs() == maximum { sign(x) } else { T::zero() });
            }
        }
    }
}

/// Returns the gradient of the input of ReLU in `buffer`.
fn where_positive<'a, T: Element>(output: &[T], upstream: &[T], buffer: &'a mut Vec<T>) -> &'a [T] {
    buffer.resize(output.len(), T::zero());
    vectorized(|| {
        for ((masked, y), upstream) in buffer.iter_mut().zip(output).zip(upstream) {
            *masked = if *y <= T::zero() { T::zero() } else { *upstream };
        }
    });
    buffer
}

/// Writes `factor` · g − `constant` − `slope` · u(x) to `out`, which holds g if none is given.
fn combine<T: Element>(out: &mut [T], g: Option<&[T]>, x: &[T], [factor, constant, slope]: [T; 3], u: impl Fn(T) -> T) {
    vectorized(|| match g {
        None => out.iter_mut().zip(x).for_each(|(out, x)| *out = factor * *out - (constant + slope * u(*x))),
        Some(g) => {
            for ((out, g), x) in out.iter_mut().zip(g).zip(x) {
                *out = factor * *g - (constant + slope * u(*x));
            }
        }
    });
}

/// Returns the sign of x: 1, −1 or, for 0 and NaN, x.
fn sign<T: Element>(x: T) -> T {
    if x > T::zero() {
        T::one()
    } else if x < T::zero() {
        -T::one()
    } else {
        x
    }
}
