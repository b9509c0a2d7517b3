//! Winograd's minimal filtering: convolutions 3 × 3 with stride 1 in fewer multiplications (Lavin & Gray 2015,
//! arXiv:1509.09308, §4).
//!
//! M × M neighboring outputs depend on a tile d of N × N inputs, N = M + 2. With the filter g they are
//!
//! Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A    eq. 8
//!
//! which takes N² multiplications instead of 9 M². Summed over input channels, the products ⊙ become a matrix product
//! for each of the N² places of a tile: transformed filters `[O, C]` times transformed tiles `[C, T]` (eq. 12). All
//! three maps are linear, so the gradients are the same products with every matrix transposed.
//!
//! Its price: sums of large terms that nearly cancel cost f32 about a digit for M = 4, and NaN spreads over its tile.

use super::{
    patches::Geometry,
    tiles::{Tiling, add_transformed, transform},
};
use crate::{
    element::Element,
    matrix::{Matrix, Write, multiply_alone},
    vector::{sum, vectorized},
};
use rayon::prelude::*;
use std::marker::PhantomData;

/// The matrices of F(M × M, 3 × 3), with M × M outputs and N × N inputs of a tile.
trait Scheme<const M: usize, const N: usize> {
    /// Bᵀ.
    const INPUT: [[f64; N]; N];
    /// G.
    const FILTER: [[f64; 3]; N];
    /// Aᵀ.
    const OUTPUT: [[f64; N]; M];
}

/// F(4 × 4, 3 × 3), §4.3.
struct F4x4;

impl Scheme<4, 6> for F4x4 {
    const INPUT: [[f64; 6]; 6] = [
        [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
        [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
        [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
        [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
        [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
        [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
    ];
    const FILTER: [[f64; 3]; 6] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    const OUTPUT: [[f64; 6]; 4] = [
        [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, -1.0, 2.0, -2.0, 0.0],
        [0.0, 1.0, 1.0, 4.0, 4.0, 0.0],
        [0.0, 1.0, -1.0, 8.0, -8.0, 1.0],
    ];
}

/// F(2 × 2, 3 × 3), §4.1, for images that are too small for tiles of 4 × 4.
struct F2x2;

impl Scheme<2, 4> for F2x2 {
    const INPUT: [[f64; 4]; 4] =
        [[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]];
    const FILTER: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
    const OUTPUT: [[f64; 4]; 2] = [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, -1.0]];
}

/// Least number of input and of output channels for which the fewer multiplications outweigh the transforms.
const CHANNELS: usize = 64;

/// Returns whether Winograd's filtering applies to a convolution and is faster than im2col.
pub fn is_faster(geometry: &Geometry) -> bool {
    let &Geometry { channels, outputs, filter_height, filter_width, stride, .. } = geometry;
    (filter_height, filter_width, stride) == (3, 3, 1) && channels.min(outputs) >= CHANNELS
}

/// Returns `[N, O, H′, W′]` from images `[N, C, H, W]`, the weight `[O, C, 3, 3]` and the bias `[O]`.
pub fn forward<T: Element>(geometry: Geometry, [images, weight, bias]: [&[T]; 3]) -> Vec<T> {
    let mut out = if is_small(&geometry) {
        Winograd::<F2x2, 2, 4>::new(geometry).forward(images, weight)
    } else {
        Winograd::<F4x4, 4, 6>::new(geometry).forward(images, weight)
    };
    out.par_chunks_mut(geometry.positions()).enumerate().for_each(|(plane, out)| {
        let bias = bias[plane % geometry.outputs];
        vectorized(|| out.iter_mut().for_each(|value| *value += bias));
    });
    out
}

/// Returns the gradients of images, weight and bias that are `wanted`.
pub fn backward<T: Element>(
    geometry: Geometry,
    [images, weight, upstream]: [&[T]; 3],
    wanted: [bool; 3],
) -> [Option<Vec<T>>; 3] {
    let [grad_images, grad_weight] = if is_small(&geometry) {
        Winograd::<F2x2, 2, 4>::new(geometry).backward(images, weight, upstream, wanted)
    } else {
        Winograd::<F4x4, 4, 6>::new(geometry).backward(images, weight, upstream, wanted)
    };
    [grad_images, grad_weight, wanted[2].then(|| sums_per_output(geometry, upstream))]
}

/// Returns whether the outputs would leave a tile of 4 × 4 mostly empty.
fn is_small(geometry: &Geometry) -> bool {
    geometry.out_height().max(geometry.out_width()) <= 2
}

/// Returns the sums of `[N, O, H′, W′]` over images and positions, `[O]`.
fn sums_per_output<T: Element>(geometry: Geometry, values: &[T]) -> Vec<T> {
    let positions = geometry.positions();
    let mut sums = vec![T::zero(); geometry.outputs];
    for image in values.chunks(geometry.out_image()) {
        for (total, plane) in sums.iter_mut().zip(image.chunks(positions)) {
            *total += vectorized(|| sum(positions, |index| plane[index]));
        }
    }
    sums
}

/// Number of tiles that are transformed before they are multiplied; it bounds the memory.
const TILES: usize = 1 << 11;

/// A convolution in tiles.
struct Winograd<S, const M: usize, const N: usize> {
    /// `[N, C, H, W]` as overlapping tiles of N × N.
    images: Tiling,
    /// `[N, O, H′, W′]` as tiles of M × M.
    outputs: Tiling,
    /// `[O, C, 3, 3]`, one tile for each output and channel.
    filters: Tiling,
    scheme: PhantomData<S>,
}

impl<S: Scheme<M, N>, const M: usize, const N: usize> Winograd<S, M, N> {
    fn new(geometry: Geometry) -> Self {
        let Geometry { channels, height, width, padding, .. } = geometry;
        let (out_height, out_width) = (geometry.out_height(), geometry.out_width());
        let tiles = [out_height.div_ceil(M), out_width.div_ceil(M)];
        let images = Tiling { channels, height, width, padding, tiles, step: M };
        let outputs =
            Tiling { channels: geometry.outputs, height: out_height, width: out_width, padding: 0, tiles, step: M };
        let filters = Tiling { channels, height: 3, width: 3, padding: 0, tiles: [1, 1], step: 1 };
        Self { images, outputs, filters, scheme: PhantomData }
    }

    /// Returns the number of images whose tiles are transformed together.
    fn images_per_part(&self) -> usize {
        TILES.div_ceil(self.images.tiles_per_image())
    }

    fn forward<T: Element>(&self, images: &[T], weight: &[T]) -> Vec<T> {
        let filters = transform(self.filters, weight, &S::FILTER);
        let mut out = vec![T::zero(); images.len() / self.images.image() * self.outputs.image()];
        let parts = images.chunks(self.images_per_part() * self.images.image());
        for (images, out) in parts.zip(out.chunks_mut(self.images_per_part() * self.outputs.image())) {
            let images = transform(self.images, images, &S::INPUT);
            let products = products(N * N, |place| (filters.at(place).transposed(), images.at(place)));
            add_transformed(self.outputs, &products, &S::OUTPUT, out);
        }
        out
    }

    /// Returns the gradients of images and weight that are `wanted`.
    fn backward<T: Element>(
        &self,
        images: &[T],
        weight: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> [Option<Vec<T>>; 2] {
        let filters = transform(self.filters, weight, &S::FILTER);
        let mut grad_images = vec![T::zero(); if wanted[0] { images.len() } else { 0 }];
        let mut grad_filters = vec![T::zero(); if wanted[1] { filters.len() } else { 0 }];
        let part = self.images_per_part();
        let mut parts_of_grad = grad_images.chunks_mut(part * self.images.image());
        let parts = images.chunks(part * self.images.image()).zip(upstream.chunks(part * self.outputs.image()));
        for (images, upstream) in parts {
            let grad_products = transform(self.outputs, upstream, &const { transposed(S::OUTPUT) });
            if wanted[1] {
                let images = transform(self.images, images, &S::INPUT);
                multiply_each(&mut grad_filters, N * N, Write::Add, |place| {
                    (images.at(place), grad_products.at(place).transposed())
                });
            }
            if let Some(grad_images) = parts_of_grad.next() {
                let grad_tiles = products(N * N, |place| (filters.at(place), grad_products.at(place)));
                add_transformed(self.images, &grad_tiles, &const { transposed(S::INPUT) }, grad_images);
            }
        }
        let grad_weight = || {
            let mut grad_weight = vec![T::zero(); weight.len()];
            add_transformed(self.filters, &grad_filters, &const { transposed(S::FILTER) }, &mut grad_weight);
            grad_weight
        };
        [wanted[0].then_some(grad_images), wanted[1].then(grad_weight)]
    }
}

/// Returns the product of the two factors of each place of a tile.
fn products<'a, T: Element>(places: usize, factors: impl Fn(usize) -> (Matrix<'a, T>, Matrix<'a, T>) + Sync) -> Vec<T> {
    let (left, right) = factors(0);
    let mut out = vec![T::zero(); places * left.rows() * right.columns()];
    multiply_each(&mut out, places, Write::Replace, factors);
    out
}

/// Writes the product of the two factors of each place of a tile to `out`.
fn multiply_each<'a, T: Element>(
    out: &mut [T],
    places: usize,
    write: Write,
    factors: impl Fn(usize) -> (Matrix<'a, T>, Matrix<'a, T>) + Sync,
) {
    out.par_chunks_mut(out.len() / places).enumerate().for_each(|(place, out)| {
        let (left, right) = factors(place);
        multiply_alone(out, left, right, write);
    });
}

/// Returns the transpose of a matrix.
const fn transposed<const ROWS: usize, const COLUMNS: usize>(matrix: [[f64; COLUMNS]; ROWS]) -> [[f64; ROWS]; COLUMNS] {
    let mut result = [[0.0; ROWS]; COLUMNS];
    let mut index = 0;
    while index < ROWS * COLUMNS {
        result[index % COLUMNS][index / COLUMNS] = matrix[index / COLUMNS][index % COLUMNS];
        index += 1;
    }
    result
}
