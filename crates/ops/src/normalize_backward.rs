//! The backward pass of [`normalize`](super::normalize)'s fused kernel. With g the gradient of what was normalized,
//! h = γ g, c = x − μ, and ⟨·⟩ the mean over a set of M values:
//! ∂x = (h − ⟨h⟩) / d − M ⟨h c⟩ / d² · ∂d/∂x, ∂γ = Σ g c / d, ∂β = Σ g, both over examples and space. Where no mean is
//! subtracted, there is no ⟨h⟩.

use super::{
    array::Array,
    element::{Element, sums, vectorized},
    normalize::{Epilogue, ScaleStatistic, Statistics},
    normalize_fused::{Normalize, OfSet},
    normalize_runs::Runs,
    pool::Shared,
};
use rayon::prelude::*;

/// A backward pass.
pub(super) struct Backward<'a, T> {
    pub normalize: &'a Normalize,
    pub runs: Runs,
    pub statistics: &'a Statistics,
    /// x, γ, β.
    pub inputs: [Array<'a, T>; 3],
    /// What followed the normalization gave this, and this is its gradient.
    pub output: &'a [T],
    pub upstream: &'a [T],
}

/// Sums over a run.
#[derive(Clone, Copy)]
struct Sums {
    /// Σ g.
    g: f64,
    /// Σ g c.
    gc: f64,
    /// How many values are as large as the set's maximum; counted where that is the divisor.
    maxima: usize,
}

/// ∂x = γ g / d − constant − along · u, where ∂d/∂x is some factor of u: x − μ, the sign of x, x, or its sign where
/// |x| is the maximum.
#[derive(Clone, Copy)]
struct OfInput<T> {
    divisor: T,
    center: T,
    maximum: T,
    constant: T,
    along: T,
}

/// Values of a run: x, and what came of it with its gradient.
struct Run<'a, T> {
    channel: usize,
    x: &'a [T],
    y: &'a [T],
    upstream: &'a [T],
}

impl<T: Element> Backward<'_, T> {
    /// ∂x, and of each channel ∂γ and ∂β.
    pub fn gradients(&self) -> (Vec<T>, Vec<[f64; 2]>) {
        let runs = &self.runs;
        let mut of_input = vec![T::zero(); self.inputs[0].values.len()];
        let of_parameters: Vec<Vec<[f64; 2]>> = of_input
            .par_chunks_mut(runs.of_block * runs.length)
            .enumerate()
            .with_min_len(runs.blocks_of_task())
            .map(|(block, out)| self.block(block, out))
            .collect();
        let mut totals = vec![[0.0; 2]; runs.channels()];
        for of_block in of_parameters {
            for (run, [of_weight, of_bias]) in of_block.into_iter().enumerate() {
                let total = &mut totals[runs.channel(run)];
                *total = [total[0] + of_weight, total[1] + of_bias];
            }
        }
        (of_input, totals)
    }

    /// Writes ∂x of a block to `out`; gives ∂γ and ∂β of each of its runs.
    fn block(&self, block: usize, out: &mut [T]) -> Vec<[f64; 2]> {
        let runs = &self.runs;
        let sets = runs.sets_of_block();
        let of_set = |set: usize| self.of_set(block * sets + set);
        let room = || (self.normalize.room(runs), Vec::new());
        let sums: Vec<Sums> = out
            .par_chunks_mut(runs.length)
            .enumerate()
            .with_min_len(runs.of_task())
            .map_init(room, |room, (run, out)| {
                self.sums(&self.run(block, run), of_set(runs.set_in_block(run)), room, out)
            })
            .collect();
        let of_inputs = self.of_inputs(&sums, of_set);
        out.par_chunks_mut(runs.length).enumerate().with_min_len(runs.of_task()).for_each(|(run, out)| {
            self.finish(&self.run(block, run), of_inputs[runs.set_in_block(run)], out);
        });
        let of_parameters = |(run, sums): (usize, &Sums)| {
            let divisor = self.normalize.divisor(of_set(runs.set_in_block(run)).spread);
            [sums.gc / divisor, sums.g]
        };
        sums.iter().enumerate().map(of_parameters).collect()
    }

    fn of_set(&self, set: usize) -> OfSet {
        OfSet { mean: self.statistics.mean[set], spread: self.statistics.spread[set] }
    }

    fn run(&self, block: usize, run: usize) -> Run<'_, T> {
        let (length, index) = (self.runs.length, block * self.runs.of_block + run);
        let later = self.upstream.len() * length / self.inputs[0].values.len();
        Run {
            channel: self.runs.channel(run),
            x: &self.inputs[0].values[index * length..][..length],
            y: &self.output[index * later..][..later],
            upstream: &self.upstream[index * later..][..later],
        }
    }

    /// The sums of a run. Leaves g in `out` where it is not `upstream`.
    fn sums(&self, run: &Run<T>, of_set: OfSet, room: &mut (Vec<T>, Vec<T>), out: &mut [T]) -> Sums {
        let &Run { channel, x, y, upstream } = run;
        let (normalized, masked) = room;
        let Epilogue { window, relu } = self.normalize.then;
        let upstream = if relu { where_positive(y, upstream, masked) } else { upstream };
        if window > 1 {
            let [input, weight, bias] = self.inputs;
            let affine = self.normalize.affine(weight.values[channel], bias.values[channel], of_set);
            affine.apply(x, normalized, |y| y);
            // Where ReLU hid the maximum, there is no gradient to share.
            let shared = Shared { plane: normalized, width: input.dims[3], pooled: y, upstream };
            self.normalize.pooling().share(shared, out);
        } else if relu {
            out.copy_from_slice(upstream);
        }
        let g = if self.normalize.then == Epilogue::NOTHING { upstream } else { out };
        let center = T::from_f64(of_set.mean);
        let [g, gc] = vectorized(|| sums(g.len(), |i| [g[i], g[i] * (x[i] - center)])).map(|sum| sum.to_f64());
        let maxima = match self.normalize.how.divisor {
            ScaleStatistic::MaxAbsolute => x.iter().filter(|x| x.abs() == T::from_f64(of_set.spread)).count(),
            _ => 0,
        };
        Sums { g, gc, maxima }
    }

    /// Of each set of a block, what turns g into ∂x.
    fn of_inputs(&self, sums: &[Sums], of_set: impl Fn(usize) -> OfSet) -> Vec<OfInput<T>> {
        let runs = &self.runs;
        let mut totals = vec![(0.0, 0.0, 0); runs.sets_of_block()];
        for (run, Sums { g, gc, maxima }) in sums.iter().enumerate() {
            let weight = self.inputs[1].values[runs.channel(run)].to_f64();
            let total = &mut totals[runs.set_in_block(run)];
            *total = (total.0 + weight * g, total.1 + weight * gc, total.2 + maxima);
        }
        let centred = self.normalize.how.divisor != ScaleStatistic::Uncentred;
        let finish = |(set, (of_scaled, of_product, maxima))| {
            let OfSet { mean, spread } = of_set(set);
            let divisor = self.normalize.divisor(spread);
            OfInput {
                divisor: T::from_f64(divisor),
                center: T::from_f64(mean),
                maximum: T::from_f64(spread),
                constant: T::from_f64(if centred { of_scaled / (runs.size() * divisor) } else { 0.0 }),
                along: T::from_f64(of_product / (divisor * divisor) * self.slope(spread, maxima)),
            }
        };
        totals.into_iter().enumerate().map(finish).collect()
    }

    /// ∂d/∂x in units of u.
    fn slope(&self, spread: f64, maxima: usize) -> f64 {
        let size = self.runs.size();
        match self.normalize.how.divisor {
            ScaleStatistic::Deviation | ScaleStatistic::Uncentred => 1.0 / (size * self.normalize.divisor(spread)),
            ScaleStatistic::MeanAbsolute => 1.0 / size,
            // The root has no derivative at 0; 0 is taken for it.
            ScaleStatistic::RootMeanSquare if spread == 0.0 => 0.0,
            ScaleStatistic::RootMeanSquare => 1.0 / (size * spread),
            ScaleStatistic::MaxAbsolute => 1.0 / maxima as f64,
        }
    }

    /// Writes a run's ∂x to `out`, which holds g unless that is `upstream`.
    fn finish(&self, run: &Run<T>, of_input: OfInput<T>, out: &mut [T]) {
        let OfInput { divisor, center, maximum, constant, along } = of_input;
        let factors = [self.inputs[1].values[run.channel] / divisor, constant, along];
        let g = (self.normalize.then == Epilogue::NOTHING).then_some(run.upstream);
        match self.normalize.how.divisor {
            ScaleStatistic::Deviation => combine(out, g, run.x, factors, |x| x - center),
            ScaleStatistic::MeanAbsolute => combine(out, g, run.x, factors, sign),
            ScaleStatistic::RootMeanSquare | ScaleStatistic::Uncentred => combine(out, g, run.x, factors, |x| x),
            ScaleStatistic::MaxAbsolute => {
                combine(out, g, run.x, factors, |x| if x.abs() == maximum { sign(x) } else { T::zero() });
            }
        }
    }
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

/// `out` = `scale` · g − `constant` − `along` · u(x), where g is in `out` if it is not given.
fn combine<T: Element>(out: &mut [T], g: Option<&[T]>, x: &[T], [scale, constant, along]: [T; 3], u: impl Fn(T) -> T) {
    vectorized(|| match g {
        None => out.iter_mut().zip(x).for_each(|(out, x)| *out = scale * *out - (constant + along * u(*x))),
        Some(g) => {
            for ((out, g), x) in out.iter_mut().zip(g).zip(x) {
                *out = scale * *g - (constant + along * u(*x));
            }
        }
    });
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
