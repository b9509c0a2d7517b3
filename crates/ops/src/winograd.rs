//! Winograd's minimal filtering: convolutions 3 × 3 with stride 1 in fewer multiplications (Lavin & Gray 2015,
//! arXiv:1509.09308, §4).
//!
//! M × M neighbouring outputs depend on a tile d of N × N inputs, N = M + 2. With the kernel g
//!
//! Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A    eq. 8
//!
//! which multiplies N² times instead of 9 M². Summed over input channels the products ⊙ become, for each of the N² places
//! of a tile, a matrix product of transformed kernels `[O, C]` and transformed tiles `[C, T]` (eq. 12). All three maps are
//! linear, so that the gradients are the same products with every matrix transposed.
//!
//! The price: sums of large terms that nearly cancel, which cost f32 about a digit for M = 4; and a NaN spreads over the
//! tiles that it lies in.

use super::{
    element::Element,
    matrix::{Matrix, Output, multiply_alone},
    patches::Geometry,
    tiles::{Planes, collect, spread},
};
use rayon::prelude::*;
use std::marker::PhantomData;

/// Tiles of M × M outputs and N × N inputs.
trait Scheme<const M: usize, const N: usize> {
    /// Bᵀ.
    const INPUT: [[f64; N]; N];
    /// G.
    const KERNEL: [[f64; 3]; N];
    /// Aᵀ.
    const OUTPUT: [[f64; N]; M];
}

/// F(4 × 4, 3 × 3), §4.3.
struct Four;

impl Scheme<4, 6> for Four {
    const INPUT: [[f64; 6]; 6] = [
        [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
        [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
        [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
        [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
        [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
        [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
    ];
    const KERNEL: [[f64; 3]; 6] = [
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

/// F(2 × 2, 3 × 3), §4.1, for images too small to fill tiles of four.
struct Two;

impl Scheme<2, 4> for Two {
    const INPUT: [[f64; 4]; 4] =
        [[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]];
    const KERNEL: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
    const OUTPUT: [[f64; 4]; 2] = [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, -1.0]];
}

/// Of channels in and out, those that make up for the transforms.
const CHANNELS: usize = 64;

/// Whether a convolution is done this way.
pub(super) fn pays(geometry: &Geometry, outputs: usize) -> bool {
    let &Geometry { channels, kernel_height, kernel_width, stride, .. } = geometry;
    (kernel_height, kernel_width, stride) == (3, 3, 1) && channels.min(outputs) >= CHANNELS
}

/// `[N, C, H, W]` with kernels `[O, C, 3, 3]` -> `[N, O, H', W']`.
pub(super) fn forward<T: Element>(geometry: Geometry, outputs: usize, images: &[T], weight: &[T]) -> Vec<T> {
    match is_small(&geometry) {
        true => Winograd::<Two, 2, 4>::new(geometry, outputs).forward(images, weight),
        false => Winograd::<Four, 4, 6>::new(geometry, outputs).forward(images, weight),
    }
}

/// The gradients of images and kernels, those that are `wanted`.
pub(super) fn backward<T: Element>(
    geometry: Geometry,
    outputs: usize,
    [images, weight, upstream]: [&[T]; 3],
    wanted: [bool; 2],
) -> [Option<Vec<T>>; 2] {
    match is_small(&geometry) {
        true => Winograd::<Two, 2, 4>::new(geometry, outputs).backward(images, weight, upstream, wanted),
        false => Winograd::<Four, 4, 6>::new(geometry, outputs).backward(images, weight, upstream, wanted),
    }
}

/// Whether a tile of four would be mostly empty.
fn is_small(geometry: &Geometry) -> bool {
    geometry.out_height().max(geometry.out_width()) <= 2
}

/// Tiles that are transformed before they are multiplied: this bounds the memory.
const TILES: usize = 1 << 11;

/// A convolution in tiles.
struct Winograd<S, const M: usize, const N: usize> {
    /// `[N, C, H, W]` as overlapping tiles of N × N.
    images: Planes,
    /// `[N, O, H', W']` as tiles of M × M.
    results: Planes,
    /// `[O, C, 3, 3]`: the kernels of an output are its image, a tile in each channel.
    kernels: Planes,
    scheme: PhantomData<S>,
}

impl<S: Scheme<M, N>, const M: usize, const N: usize> Winograd<S, M, N> {
    fn new(geometry: Geometry, outputs: usize) -> Self {
        let Geometry { channels, height, width, padding, .. } = geometry;
        let (out_height, out_width) = (geometry.out_height(), geometry.out_width());
        let tiles = [out_height.div_ceil(M), out_width.div_ceil(M)];
        let images = Planes { channels, height, width, padding, tiles, step: M };
        let results = Planes { channels: outputs, height: out_height, width: out_width, padding: 0, tiles, step: M };
        let kernels = Planes { channels, height: 3, width: 3, padding: 0, tiles: [1, 1], step: 1 };
        Self { images, results, kernels, scheme: PhantomData }
    }

    /// Images that are worked on together.
    fn images_of_part(&self) -> usize {
        TILES.div_ceil(self.images.tiles_of_image())
    }

    fn forward<T: Element>(&self, images: &[T], weight: &[T]) -> Vec<T> {
        let kernels = spread(self.kernels, weight, &S::KERNEL);
        let mut out = vec![T::zero(); images.len() / self.images.image() * self.results.image()];
        let parts = images.chunks(self.images_of_part() * self.images.image());
        for (images, out) in parts.zip(out.chunks_mut(self.images_of_part() * self.results.image())) {
            let images = spread(self.images, images, &S::INPUT);
            let products = products(|place| (kernels.at(place).transposed(), images.at(place)), N * N);
            collect(self.results, &products, &S::OUTPUT, out);
        }
        out
    }

    fn backward<T: Element>(
        &self,
        images: &[T],
        weight: &[T],
        upstream: &[T],
        wanted: [bool; 2],
    ) -> [Option<Vec<T>>; 2] {
        let kernels = spread(self.kernels, weight, &S::KERNEL);
        let mut of_images = vec![T::zero(); if wanted[0] { images.len() } else { 0 }];
        let mut of_kernels = vec![T::zero(); if wanted[1] { kernels.len() } else { 0 }];
        let part = self.images_of_part();
        let mut parts_of_images = of_images.chunks_mut(part * self.images.image());
        let parts = images.chunks(part * self.images.image()).zip(upstream.chunks(part * self.results.image()));
        for (images, upstream) in parts {
            let of_products = spread(self.results, upstream, &const { transposed(S::OUTPUT) });
            if wanted[1] {
                let images = spread(self.images, images, &S::INPUT);
                multiply_each(&mut of_kernels, N * N, Output::Add, |place| {
                    (images.at(place), of_products.at(place).transposed())
                });
            }
            if let Some(of_images) = parts_of_images.next() {
                let of_spread = products(|place| (kernels.at(place), of_products.at(place)), N * N);
                collect(self.images, &of_spread, &const { transposed(S::INPUT) }, of_images);
            }
        }
        let of_weight = || {
            let mut of_weight = vec![T::zero(); weight.len()];
            collect(self.kernels, &of_kernels, &const { transposed(S::KERNEL) }, &mut of_weight);
            of_weight
        };
        [wanted[0].then_some(of_images), wanted[1].then(of_weight)]
    }
}

/// A matrix product for each place of a tile.
fn products<'a, T: Element>(factors: impl Fn(usize) -> (Matrix<'a, T>, Matrix<'a, T>) + Sync, places: usize) -> Vec<T> {
    let (left, right) = factors(0);
    let mut out = vec![T::zero(); places * left.rows() * right.columns()];
    multiply_each(&mut out, places, Output::Replace, factors);
    out
}

fn multiply_each<'a, T: Element>(
    out: &mut [T],
    places: usize,
    output: Output,
    factors: impl Fn(usize) -> (Matrix<'a, T>, Matrix<'a, T>) + Sync,
) {
    out.par_chunks_mut(out.len() / places).enumerate().for_each(|(place, out)| {
        let (left, right) = factors(place);
        multiply_alone(out, left, right, output);
    });
}

/// Aᵀ of A.
const fn transposed<const ROWS: usize, const COLUMNS: usize>(matrix: [[f64; COLUMNS]; ROWS]) -> [[f64; ROWS]; COLUMNS] {
    let mut result = [[0.0; ROWS]; COLUMNS];
    let mut index = 0;
    while index < ROWS * COLUMNS {
        result[index % COLUMNS][index / COLUMNS] = matrix[index / COLUMNS][index % COLUMNS];
        index += 1;
    }
    result
}
