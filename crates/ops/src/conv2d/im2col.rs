//! Convolution as matrix products with patches (im2col).
//!
//! A few images at a time become a matrix of patches that fits in the cache. The convolution is a product
//! with it, and the two gradients are products with its transposes. The backward pass makes the patches again, which
//! costs less than storing them.

use super::patches::Geometry;
use crate::{
    element::Element,
    matrix::{Matrix, Write, multiply_alone},
    vector::{sum, vectorized},
};
use rayon::prelude::*;

/// Number of columns that a matrix of patches should have: enough to keep a matrix product busy, few enough for the
/// cache.
const COLUMNS: usize = 512;

/// Upper bound of the values of all partial sums of a weight gradient together.
const PARTIAL_SUMS: usize = 1 << 24;

/// Returns `[N, O, H′, W′]` from images `[N, C, H, W]`, the weight `[O, C, kh, kw]` and the bias `[O]`.
pub fn forward<T: Element>(geometry: Geometry, [images, weight, bias]: [&[T]; 3]) -> Vec<T> {
    let im2col = Im2col::new(geometry, images.len());
    let (outputs, positions) = (geometry.outputs, geometry.positions());
    let weight = Matrix::new(weight, outputs, geometry.patch());
    let mut out = vec![T::zero(); images.len() / geometry.image() * geometry.out_image()];
    out.par_chunks_mut(im2col.images * geometry.out_image())
        .zip(images.par_chunks(im2col.images * geometry.image()))
        .for_each_init(
            || (im2col.patch_buffer(), Vec::new()),
            |(buffer, products), (out, images)| {
                let patches = im2col.unfold(images, buffer);
                let columns = patches.columns();
                products.resize(outputs * columns, T::zero());
                multiply_alone(products, weight, patches, Write::Replace);
                for (index, out) in out.chunks_mut(positions).enumerate() {
                    let (image, output) = (index / outputs, index % outputs);
                    out.copy_from_slice(&products[output * columns + image * positions..][..positions]);
                    vectorized(|| out.iter_mut().for_each(|value| *value += bias[output]));
                }
            },
        );
    out
}

/// Returns the gradients of images, weight and bias that are `wanted`. With the upstream gradient g as a matrix:
/// ∂patches = wᵀ g, added up to images; ∂w = Σ over matrices of g patchesᵀ; ∂b = Σ g over images and positions.
pub fn backward<T: Element>(
    geometry: Geometry,
    [images, weight, upstream]: [&[T]; 3],
    wanted: [bool; 3],
) -> [Option<Vec<T>>; 3] {
    let im2col = Im2col::new(geometry, images.len());
    let (outputs, positions) = (geometry.outputs, geometry.positions());
    let mut grad_images = vec![T::zero(); if wanted[0] { images.len() } else { 0 }];

    // Each part of the batch has a partial sum of the weight gradient. The number of threads does not change the parts.
    let count = (images.len() / geometry.image()).div_ceil(im2col.images);
    let parts = (PARTIAL_SUMS / weight.len()).clamp(2, 16).min(count);
    let images_per_part = count.div_ceil(parts) * im2col.images;
    let part = images_per_part * geometry.image();
    let mut parts_of_grad: Vec<&mut [T]> = grad_images.chunks_mut(part).collect();
    parts_of_grad.resize_with(images.len().div_ceil(part), Default::default);

    let matrix = Matrix::new(weight, outputs, geometry.patch());
    let partial_sums: Vec<(Vec<T>, Vec<T>)> = parts_of_grad
        .into_par_iter()
        .zip(images.par_chunks(part))
        .zip(upstream.par_chunks(images_per_part * geometry.out_image()))
        .map(|((grad_images, images), upstream)| {
            let mut grad_weight = vec![T::zero(); if wanted[1] { weight.len() } else { 0 }];
            let mut grad_bias = vec![T::zero(); outputs];
            let (mut buffer, mut gathered, mut grad_patches) = (im2col.patch_buffer(), Vec::new(), Vec::new());
            let mut chunks_of_grad = grad_images.chunks_mut(im2col.images * geometry.image());
            let chunks_of_images = images.chunks(im2col.images * geometry.image());
            for (images, upstream) in chunks_of_images.zip(upstream.chunks(im2col.images * geometry.out_image())) {
                im2col.gather(upstream, &mut gathered);
                let columns = gathered.len() / outputs;
                for (total, row) in grad_bias.iter_mut().zip(gathered.chunks(columns)) {
                    *total += vectorized(|| sum(columns, |index| row[index]));
                }
                let upstream = Matrix::new(&gathered, outputs, columns);
                if wanted[1] {
                    let patches = im2col.unfold(images, &mut buffer);
                    multiply_alone(&mut grad_weight, upstream, patches.transposed(), Write::Add);
                }
                if let Some(grad_images) = chunks_of_grad.next() {
                    grad_patches.resize(geometry.patch() * columns, T::zero());
                    multiply_alone(&mut grad_patches, matrix.transposed(), upstream, Write::Replace);
                    for (index, image) in grad_images.chunks_mut(geometry.image()).enumerate() {
                        geometry.fold(&grad_patches, columns, index * positions, image);
                    }
                }
            }
            (grad_weight, grad_bias)
        })
        .collect();
    let (grad_weights, grad_biases): (Vec<_>, Vec<_>) = partial_sums.into_iter().unzip();
    [wanted[0].then_some(grad_images), wanted[1].then(|| total(grad_weights)), wanted[2].then(|| total(grad_biases))]
}

/// The matrices of patches of a batch.
struct Im2col {
    geometry: Geometry,
    /// Number of images that share a matrix; the last matrix may have fewer.
    images: usize,
}

impl Im2col {
    /// Decides for a batch of `values` values.
    fn new(geometry: Geometry, values: usize) -> Self {
        let images = COLUMNS.div_ceil(geometry.positions()).min(values / geometry.image());
        Self { geometry, images }
    }

    /// Returns a buffer for a matrix, all zeros.
    fn patch_buffer<T: Element>(&self) -> Vec<T> {
        vec![T::zero(); self.geometry.patch() * self.images * self.geometry.positions()]
    }

    /// Fills `buffer` with the patches of a few images and returns it as a matrix `[C · kh · kw, images · H′ · W′]`.
    fn unfold<'a, T: Element>(&self, images: &[T], buffer: &'a mut Vec<T>) -> Matrix<'a, T> {
        let columns = images.len() / self.geometry.image() * self.geometry.positions();
        if buffer.len() != columns * self.geometry.patch() {
            // The padding of a last, smaller matrix lies elsewhere.
            buffer.clear();
            buffer.resize(columns * self.geometry.patch(), T::zero());
        }
        for (index, image) in images.chunks(self.geometry.image()).enumerate() {
            self.geometry.unfold(image, buffer, columns, index * self.geometry.positions());
        }
        Matrix::new(buffer, self.geometry.patch(), columns)
    }

    /// Writes images `[images, O, H′ · W′]` to `out` as a matrix `[O, images · H′ · W′]`.
    fn gather<T: Element>(&self, images: &[T], out: &mut Vec<T>) {
        let positions = self.geometry.positions();
        out.clear();
        for output in 0..self.geometry.outputs {
            for image in images.chunks(self.geometry.out_image()) {
                out.extend_from_slice(&image[output * positions..][..positions]);
            }
        }
    }
}

/// Returns the sum of vectors, added in their order.
fn total<T: Element>(mut vectors: Vec<Vec<T>>) -> Vec<T> {
    let mut total = std::mem::take(&mut vectors[0]);
    for vector in &vectors[1..] {
        vectorized(|| {
            for (total, value) in total.iter_mut().zip(vector) {
                *total += *value;
            }
        });
    }
    total
}
