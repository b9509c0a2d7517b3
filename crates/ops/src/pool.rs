//! Pooling: the maximum or the mean of each k × k window of a channel. Windows do not overlap; rows and columns that
//! fill no whole window are left out, as in PyTorch.
//!
//! Of several equal maxima the first, row by row, receives the gradient. candle's own `max_pool2d` has a wrong gradient
//! (it multiplies by the pooled mask where it should divide); a test fails once candle corrects it.

use super::{
    array::Array,
    element::Element,
    implementation::Implementation,
    kernel::{Kernel, VALUES_PER_TASK, apply1},
    vector::{VectorWork, in_vectors, load, vectorized},
};
use candle_core::{D, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// The largest window. Each size is compiled separately.
const LARGEST_WINDOW: usize = 8;

/// Returns the maximum of each window, `[N, C, H / window, W / window]`, of `[N, C, H, W]`; NaN if the window holds
/// one. Errors on an empty batch and on a window that is 0, above 8 or larger than the image.
pub fn max_pool2d(input: &Tensor, window: usize) -> Result<Tensor> {
    check("max_pool2d", input.dims(), window)?;
    match Implementation::of(input)? {
        Implementation::Composed => max_pool2d_composed(input, window),
        Implementation::Fused => max_pool2d_fused(input, window),
    }
}

/// Returns [`max_pool2d`] by its definition.
pub fn max_pool2d_composed(input: &Tensor, window: usize) -> Result<Tensor> {
    let windows = windows(input, window)?;
    let maxima = windows.gather(&windows.argmax_keepdim(D::Minus1)?, D::Minus1)?.squeeze(D::Minus1)?;
    let holds_nan = windows.ne(&windows)?.max(D::Minus1)?;
    holds_nan.where_cond(&(maxima.zeros_like()? / 0.0)?, &maxima)
}

/// Returns [`max_pool2d`] in one pass.
pub fn max_pool2d_fused(input: &Tensor, window: usize) -> Result<Tensor> {
    apply1(Pool { window, reduction: Reduction::Max }, input)
}

/// Returns the mean of each window, `[N, C, H / window, W / window]`, of `[N, C, H, W]`. Errors as [`max_pool2d`].
pub fn avg_pool2d(input: &Tensor, window: usize) -> Result<Tensor> {
    check("avg_pool2d", input.dims(), window)?;
    match Implementation::of(input)? {
        Implementation::Composed => avg_pool2d_composed(input, window),
        Implementation::Fused => avg_pool2d_fused(input, window),
    }
}

/// Returns [`avg_pool2d`] by its definition.
pub fn avg_pool2d_composed(input: &Tensor, window: usize) -> Result<Tensor> {
    windows(input, window)?.mean(D::Minus1)
}

/// Returns [`avg_pool2d`] in one pass.
pub fn avg_pool2d_fused(input: &Tensor, window: usize) -> Result<Tensor> {
    apply1(Pool { window, reduction: Reduction::Mean }, input)
}

/// Errors if `dims` cannot be pooled with `window`; the message begins with the operation's name.
pub(super) fn check(name: &str, dims: &[usize], window: usize) -> Result<()> {
    let [examples, channels, height, width] = *dims else {
        bail!("{name}: pooling takes an input [N, C, H, W], not {dims:?}")
    };
    if examples == 0 {
        bail!("{name}: the batch is empty: input {dims:?}");
    }
    if [channels, height, width].contains(&0) {
        bail!("{name}: the input has no values: {dims:?}");
    }
    let largest = LARGEST_WINDOW.min(height).min(width);
    if !(1..=largest).contains(&window) {
        bail!("{name}: a window of {window} cannot pool {dims:?}; it can be 1 to {largest}");
    }
    Ok(())
}

/// Returns the values of each window, `[N, C, H / k, W / k, k · k]`.
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

/// How a window becomes one value.
#[derive(Clone, Copy)]
pub(super) enum Reduction {
    Max,
    Mean,
}

/// The fused kernel.
pub(super) struct Pool {
    pub window: usize,
    pub reduction: Reduction,
}

impl Kernel<1> for Pool {
    const NAME: &'static str = "pool2d";

    fn forward<T: Element>(&self, [input]: [Array<'_, T>; 1]) -> Result<(Vec<T>, Shape)> {
        let [examples, channels, height, width] = [0, 1, 2, 3].map(|axis| input.dims[axis]);
        let (rows, columns) = (height / self.window, width / self.window);
        let mut out = vec![T::zero(); examples * channels * rows * columns];
        out.par_chunks_mut(rows * columns)
            .zip(input.values.par_chunks(height * width))
            .with_min_len(VALUES_PER_TASK.div_ceil(height * width))
            .for_each(|(out, plane)| self.forward_plane(plane, width, out));
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
            .with_min_len(VALUES_PER_TASK.div_ceil(height * width))
            .for_each(|((gradient, plane), (pooled, upstream))| {
                self.backward_plane(PooledPlane { plane, width, pooled, upstream }, gradient);
            });
        Ok([Some(gradient)])
    }
}

/// Calls a function with the window as a constant, so each size is compiled separately.
macro_rules! with_window {
    ($window:expr, $function:ident $arguments:tt, $($size:literal)*) => {
        match $window {
            $($size => $function::<T, $size> $arguments,)*
            other => unreachable!("a window of {other} passed the check"),
        }
    };
}

/// A channel of an example, `width` columns wide, with its pooled values and their gradient.
pub(super) struct PooledPlane<'a, T> {
    pub plane: &'a [T],
    pub width: usize,
    pub pooled: &'a [T],
    pub upstream: &'a [T],
}

impl Pool {
    /// Pools each window of a plane of `width` columns into `out`.
    pub(super) fn forward_plane<T: Element>(&self, plane: &[T], width: usize, out: &mut [T]) {
        with_window!(self.window, pool_plane(self.reduction, plane, width, out), 1 2 3 4 5 6 7 8);
    }

    /// Writes the gradient of each value of a plane. Values outside all windows are not written.
    pub(super) fn backward_plane<T: Element>(&self, pooled: PooledPlane<'_, T>, gradient: &mut [T]) {
        with_window!(self.window, unpool_plane(self.reduction, pooled, gradient), 1 2 3 4 5 6 7 8);
    }
}

/// A window, row by row.
type Window<T, const K: usize> = [[T; K]; K];

fn pool_plane<T: Element, const K: usize>(reduction: Reduction, plane: &[T], width: usize, out: &mut [T]) {
    match reduction {
        Reduction::Max => each_window::<T, K>(plane, width, out, maximum),
        Reduction::Mean => each_window::<T, K>(plane, width, out, mean),
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

fn unpool_plane<T: Element, const K: usize>(
    reduction: Reduction,
    PooledPlane { plane, width, pooled, upstream }: PooledPlane<'_, T>,
    gradient: &mut [T],
) {
    let columns = width / K;
    let windows = pooled.chunks(columns).zip(upstream.chunks(columns));
    let rows = plane.chunks(K * width).zip(gradient.chunks_mut(K * width));
    vectorized(|| {
        for ((pooled, upstream), (rows, gradient)) in windows.zip(rows) {
            match reduction {
                Reduction::Max => {
                    in_vectors(columns, &mut MaxGradient::<T, K> { rows, gradient, width, pooled, upstream });
                }
                Reduction::Mean => {
                    let share = T::one() / T::from_f64((K * K) as f64);
                    for gradient in gradient.chunks_mut(width).take(K) {
                        for (gradient, upstream) in gradient.as_chunks_mut::<K>().0.iter_mut().zip(upstream) {
                            *gradient = [*upstream * share; K];
                        }
                    }
                }
            }
        }
    });
}

/// A row of windows and their maxima. The gradient of a window goes to the first value that equals the maximum, or,
/// where the maximum is NaN and equals nothing, to the last value.
struct MaxGradient<'a, T, const K: usize> {
    /// `K` rows of a plane, and their gradients.
    rows: &'a [T],
    gradient: &'a mut [T],
    width: usize,
    pooled: &'a [T],
    upstream: &'a [T],
}

impl<T: Element, const K: usize> VectorWork for MaxGradient<'_, T, K> {
    #[inline(always)]
    fn apply<const LANES: usize>(&mut self, start: usize) {
        let Self { rows, gradient, width, pooled, upstream } = self;
        // `left`: the gradient that no value has received yet.
        let (maxima, mut left) = (load::<T, LANES>(pooled, start), load::<T, LANES>(upstream, start));
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

/// Returns the largest value, or NaN if there is one.
#[inline(always)]
fn maximum<T: Element, const K: usize>(window: Window<T, K>) -> T {
    let larger = |a: T, b: T| if a > b || a.is_nan() { a } else { b };
    let of_row = |row: [T; K]| row.into_iter().fold(row[0], larger);
    window.into_iter().map(of_row).fold(of_row(window[0]), larger)
}

/// Returns the mean value.
#[inline(always)]
fn mean<T: Element, const K: usize>(window: Window<T, K>) -> T {
    window.into_iter().flatten().sum::<T>() / T::from_f64((K * K) as f64)
}
