//! Pooling over windows that do not overlap: the maximum or the mean of each k × k window of a channel. Rows and columns
//! that fill no whole window are left out, as in PyTorch.
//!
//! Of several equal maxima the first, row by row, receives the gradient. candle's own `max_pool2d` has a wrong gradient
//! (it multiplies by the pooled mask where it should divide); a test watches for its mending.

use super::{
    array::Array,
    element::{Blocks, Element, block_of, in_blocks, vectorized},
    kernel::{Kernel, apply1},
    kernels::Kernels,
};
use candle_core::{D, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// The largest window: each size is compiled for itself.
const LARGEST: usize = 8;

/// `[N, C, H, W] -> [N, C, H / window, W / window]`: the maximum of each window; NaN if the window holds one.
/// Errors on an empty batch and on a window that is 0, above 8 or larger than the image.
pub fn max_pool2d(input: &Tensor, window: usize) -> Result<Tensor> {
    check("max_pool2d", input.dims(), window)?;
    match Kernels::of(input)? {
        Kernels::Composed => max_pool2d_composed(input, window),
        Kernels::Fused => max_pool2d_fused(input, window),
    }
}

pub fn max_pool2d_composed(input: &Tensor, window: usize) -> Result<Tensor> {
    let windows = windows(input, window)?;
    let maxima = windows.gather(&windows.argmax_keepdim(D::Minus1)?, D::Minus1)?.squeeze(D::Minus1)?;
    let holds_nan = windows.ne(&windows)?.max(D::Minus1)?;
    holds_nan.where_cond(&(maxima.zeros_like()? / 0.0)?, &maxima)
}

pub fn max_pool2d_fused(input: &Tensor, window: usize) -> Result<Tensor> {
    apply1(Pool { window, kind: PoolKind::Maximum }, input)
}

/// `[N, C, H, W] -> [N, C, H / window, W / window]`: the mean of each window. Errors as [`max_pool2d`].
pub fn avg_pool2d(input: &Tensor, window: usize) -> Result<Tensor> {
    check("avg_pool2d", input.dims(), window)?;
    match Kernels::of(input)? {
        Kernels::Composed => avg_pool2d_composed(input, window),
        Kernels::Fused => avg_pool2d_fused(input, window),
    }
}

pub fn avg_pool2d_composed(input: &Tensor, window: usize) -> Result<Tensor> {
    windows(input, window)?.mean(D::Minus1)
}

pub fn avg_pool2d_fused(input: &Tensor, window: usize) -> Result<Tensor> {
    apply1(Pool { window, kind: PoolKind::Mean }, input)
}

pub(super) fn check(name: &str, dims: &[usize], window: usize) -> Result<()> {
    let [examples, channels, height, width] = *dims else { bail!("{name}: pooling takes [N, C, H, W], not {dims:?}") };
    if examples == 0 {
        bail!("{name}: the batch is empty: {dims:?}");
    }
    if channels == 0 {
        bail!("{name}: no channels: {dims:?}");
    }
    if !(1..=LARGEST.min(height).min(width)).contains(&window) {
        bail!("{name}: a window of {window} on {dims:?}; it can be from 1 to the image's sides and {LARGEST}");
    }
    Ok(())
}

/// `[N, C, H, W] -> [N, C, H / k, W / k, k · k]`.
fn windows(input: &Tensor, k: usize) -> Result<Tensor> {
    let (examples, channels, height, width) = input.dims4()?;
    let (rows, columns) = (height / k, width / k);
    input
        .narrow(2, 0, rows * k)?
        .narrow(3, 0, columns * k)?
        .reshape((examples * channels, rows, k, columns, k))?
        .transpose(2, 3)?
        .reshape((examples, channels, rows, columns, k * k))
}

/// What a window is pooled to.
#[derive(Clone, Copy)]
pub(super) enum PoolKind {
    Maximum,
    Mean,
}

pub(super) struct Pool {
    pub window: usize,
    pub kind: PoolKind,
}

/// Values that are worth a task of their own.
const TASK: usize = 1 << 15;

impl Kernel<1> for Pool {
    const NAME: &'static str = "pool2d";

    fn forward<T: Element>(&self, [input]: [Array<'_, T>; 1]) -> Result<(Vec<T>, Shape)> {
        let [examples, channels, height, width] = [0, 1, 2, 3].map(|axis| input.dims[axis]);
        let (rows, columns) = (height / self.window, width / self.window);
        let mut out = vec![T::zero(); examples * channels * rows * columns];
        out.par_chunks_mut(rows * columns)
            .zip(input.values.par_chunks(height * width))
            .with_min_len(TASK.div_ceil(height * width))
            .for_each(|(out, plane)| self.pool(plane, width, out));
        Ok((out, (examples, channels, rows, columns).into()))
    }

    fn backward<T: Element>(
        &self,
        [input]: [Array<'_, T>; 1],
        output: &[T],
        upstream: &[T],
        _: [bool; 1],
    ) -> Result<[Option<Vec<T>>; 1]> {
        let [examples, channels, height, width] = [0, 1, 2, 3].map(|axis| input.dims[axis]);
        let positions = upstream.len() / (examples * channels);
        let mut gradient = vec![T::zero(); input.values.len()];
        gradient
            .par_chunks_mut(height * width)
            .zip(input.values.par_chunks(height * width))
            .zip(output.par_chunks(positions).zip(upstream.par_chunks(positions)))
            .with_min_len(TASK.div_ceil(height * width))
            .for_each(|((gradient, plane), (pooled, upstream))| {
                self.share(Shared { plane, width, pooled, upstream }, gradient);
            });
        Ok([Some(gradient)])
    }
}

/// Calls a function with the window as a constant: each size is compiled for itself.
macro_rules! with_window {
    ($window:expr, $function:ident $arguments:tt, $($size:literal)*) => {
        match $window {
            $($size => $function::<T, $size> $arguments,)*
            other => unreachable!("a window of {other} passed the check"),
        }
    };
}

/// A plane of `width` columns, what it was pooled to, and the gradient of that.
pub(super) struct Shared<'a, T> {
    pub plane: &'a [T],
    pub width: usize,
    pub pooled: &'a [T],
    pub upstream: &'a [T],
}

impl Pool {
    /// Pools each window of a plane of `width` columns.
    pub(super) fn pool<T: Element>(&self, plane: &[T], width: usize, out: &mut [T]) {
        with_window!(self.window, pool_plane(self.kind, plane, width, out), 1 2 3 4 5 6 7 8);
    }

    /// Gives each value of a plane its part of the gradient of what its window was pooled to. Values that belong to no
    /// window are left alone.
    pub(super) fn share<T: Element>(&self, shared: Shared<'_, T>, gradient: &mut [T]) {
        with_window!(self.window, share_plane(self.kind, shared, gradient), 1 2 3 4 5 6 7 8);
    }
}

/// A window, row by row.
type Window<T, const K: usize> = [[T; K]; K];

fn pool_plane<T: Element, const K: usize>(kind: PoolKind, plane: &[T], width: usize, out: &mut [T]) {
    match kind {
        PoolKind::Maximum => each_window::<T, K>(plane, width, out, maximum),
        PoolKind::Mean => each_window::<T, K>(plane, width, out, mean),
    }
}

fn each_window<T: Element, const K: usize>(plane: &[T], width: usize, out: &mut [T], pool: impl Fn(Window<T, K>) -> T) {
    vectorized(|| {
        for (out, rows) in out.chunks_mut(width / K).zip(plane.chunks(K * width)) {
            let rows: [&[[T; K]]; K] = std::array::from_fn(|row| &rows[row * width..].as_chunks().0[..out.len()]);
            for (column, out) in out.iter_mut().enumerate() {
                *out = pool(rows.map(|row| row[column]));
            }
        }
    });
}

fn share_plane<T: Element, const K: usize>(
    kind: PoolKind,
    Shared { plane, width, pooled, upstream }: Shared<'_, T>,
    gradient: &mut [T],
) {
    let columns = width / K;
    let windows = pooled.chunks(columns).zip(upstream.chunks(columns));
    let rows = plane.chunks(K * width).zip(gradient.chunks_mut(K * width));
    vectorized(|| {
        for ((pooled, upstream), (rows, gradient)) in windows.zip(rows) {
            match kind {
                PoolKind::Maximum => {
                    in_blocks(columns, &mut Share::<T, K>(Maxima { rows, gradient, width, pooled, upstream }));
                }
                PoolKind::Mean => {
                    let part = T::one() / T::from_f64((K * K) as f64);
                    for gradient in gradient.chunks_mut(width).take(K) {
                        for (gradient, upstream) in gradient.as_chunks_mut::<K>().0.iter_mut().zip(upstream) {
                            *gradient = [*upstream * part; K];
                        }
                    }
                }
            }
        }
    });
}

/// A row of windows that were pooled to their maxima.
struct Maxima<'a, T> {
    /// `K` rows of a plane and their gradients.
    rows: &'a [T],
    gradient: &'a mut [T],
    width: usize,
    pooled: &'a [T],
    upstream: &'a [T],
}

struct Share<'a, T, const K: usize>(Maxima<'a, T>);

/// Each window's gradient goes to the first value that equals the maximum, and where that is NaN and equals nothing, to
/// the last value.
impl<T: Element, const K: usize> Blocks for Share<'_, T, K> {
    #[inline(always)]
    fn block<const LANES: usize>(&mut self, start: usize) {
        let Self(Maxima { rows, gradient, width, pooled, upstream }) = self;
        // What no value has taken yet.
        let (maxima, mut left) = (block_of::<T, LANES>(pooled, start), block_of::<T, LANES>(upstream, start));
        for row in 0..K {
            let place = row * *width + start * K;
            let values = &rows[place..][..LANES * K];
            let gradient = &mut gradient[place..][..LANES * K];
            let mut shares = [[T::zero(); LANES]; K];
            for (column, shares) in shares.iter_mut().enumerate() {
                let is_last = row == K - 1 && column == K - 1;
                let values: [T; LANES] = std::array::from_fn(|lane| values[lane * K + column]);
                let takes: [bool; LANES] = std::array::from_fn(|lane| is_last || values[lane] == maxima[lane]);
                *shares = std::array::from_fn(|lane| if takes[lane] { left[lane] } else { T::zero() });
                left = std::array::from_fn(|lane| if takes[lane] { T::zero() } else { left[lane] });
            }
            for (lane, gradient) in gradient.as_chunks_mut::<K>().0.iter_mut().enumerate() {
                *gradient = std::array::from_fn(|column| shares[column][lane]);
            }
        }
    }
}

/// The largest value, or NaN if there is one.
#[inline(always)]
fn maximum<T: Element, const K: usize>(window: Window<T, K>) -> T {
    let larger = |a: T, b: T| if a > b || a.is_nan() { a } else { b };
    let of_row = |row: [T; K]| row.into_iter().fold(row[0], larger);
    window.into_iter().map(of_row).fold(of_row(window[0]), larger)
}

#[inline(always)]
fn mean<T: Element, const K: usize>(window: Window<T, K>) -> T {
    window.into_iter().flatten().sum::<T>() / T::from_f64((K * K) as f64)
}
