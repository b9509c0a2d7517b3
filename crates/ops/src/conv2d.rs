//! Two-dimensional convolution (cross-correlation, as everywhere in deep learning):
//! z[n, o, y, x] = b[o] + Σ over c, i, j of w[o, c, i, j] · a[n, c, y·s + i − p, x·s + j − p], with stride s and padding p.
//!
//! Fused: a few images at a time become a matrix of patches, small enough to stay in the cache, and the convolution is
//! a matrix product with it; its two gradients are the products with the transposes. The patches are made again in the
//! backward pass, which is cheaper than keeping them.

use super::{
    array::Array,
    element::{Element, sum, vectorized},
    kernel::{Kernel, apply3},
    kernels::Kernels,
    matrix::{Matrix, Output, multiply_alone},
    patches::Geometry,
    winograd,
};
use candle_core::{Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Where the windows of a convolution lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Pixels between neighbouring windows, at least 1.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
}

/// `[N, C, H, W]`, weight `[O, C, kh, kw]`, bias `[O]` -> `[N, O, H', W']`. Errors on shapes that do not fit, on an empty
/// batch, and on a kernel that is larger than the padded image.
pub fn conv2d(input: &Tensor, weight: &Tensor, bias: &Tensor, windows: Windows) -> Result<Tensor> {
    check(input, weight, bias, windows)?;
    match Kernels::of(input)? {
        Kernels::Composed => conv2d_composed(input, weight, bias, windows),
        Kernels::Fused => conv2d_fused(input, weight, bias, windows),
    }
}

/// The dimensions of the output, if the shapes fit.
pub(super) fn check(input: &Tensor, weight: &Tensor, bias: &Tensor, windows: Windows) -> Result<[usize; 4]> {
    let ((examples, channels, height, width), (outputs, of_weight, kernel_height, kernel_width)) =
        (input.dims4()?, weight.dims4()?);
    if (channels, outputs) != (of_weight, bias.dims1()?) {
        bail!("conv2d: input {:?}, weight {:?} and bias {:?} do not fit", input.dims(), weight.dims(), bias.dims());
    }
    if examples == 0 {
        bail!("conv2d: the batch is empty: {:?}", input.dims());
    }
    if [channels, height, width, outputs, kernel_height, kernel_width].contains(&0) {
        bail!("conv2d: input {:?} and weight {:?}: no dimension can be 0", input.dims(), weight.dims());
    }
    let padded = (height + 2 * windows.padding, width + 2 * windows.padding);
    if windows.stride == 0 || padded.0 < kernel_height || padded.1 < kernel_width {
        bail!(
            "conv2d: a kernel of {kernel_height} × {kernel_width} with {windows:?} on an image of {height} × {width}"
        );
    }
    let positions = |padded: usize, kernel: usize| (padded - kernel) / windows.stride + 1;
    Ok([examples, outputs, positions(padded.0, kernel_height), positions(padded.1, kernel_width)])
}

/// candle's `conv2d`, on images without the last pixels that the stride leaves over: with them it finds no gradient.
pub fn conv2d_composed(input: &Tensor, weight: &Tensor, bias: &Tensor, windows: Windows) -> Result<Tensor> {
    let Windows { stride, padding } = windows;
    let (_, _, kernel_height, kernel_width) = weight.dims4()?;
    let mut images = input.pad_with_zeros(2, padding, padding)?.pad_with_zeros(3, padding, padding)?;
    for (axis, kernel) in [(2, kernel_height), (3, kernel_width)] {
        let length = images.dim(axis)?;
        images = images.narrow(axis, 0, length - (length - kernel) % stride)?;
    }
    images.conv2d(weight, 0, stride, 1, 1)?.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?)
}

pub fn conv2d_fused(input: &Tensor, weight: &Tensor, bias: &Tensor, windows: Windows) -> Result<Tensor> {
    apply3(Conv2d(windows), input, weight, bias)
}

/// The fused kernel.
pub(super) struct Conv2d(pub Windows);

/// Columns that a matrix of patches should have: enough to keep a matrix product busy, few enough for the cache.
const COLUMNS: usize = 512;

/// Values that the partial sums of a weight gradient may take together.
const PARTIAL_SUMS: usize = 1 << 24;

/// The convolution of one batch, cut into groups of images.
struct Groups {
    geometry: Geometry,
    outputs: usize,
    images: usize,
}

impl Conv2d {
    fn groups<T>(&self, input: Array<'_, T>, weight: Array<'_, T>) -> Groups {
        let geometry = Geometry {
            channels: input.dims[1],
            height: input.dims[2],
            width: input.dims[3],
            kernel_height: weight.dims[2],
            kernel_width: weight.dims[3],
            stride: self.0.stride,
            padding: self.0.padding,
        };
        let images = COLUMNS.div_ceil(geometry.positions()).min(input.dims[0]);
        Groups { geometry, outputs: weight.dims[0], images }
    }
}

impl Groups {
    /// Values of an image of the output.
    fn out_image(&self) -> usize {
        self.outputs * self.geometry.positions()
    }

    /// Room for the patches of a group, zero where they are padding.
    fn room_for_patches<T: Element>(&self) -> Vec<T> {
        vec![T::zero(); self.geometry.patch() * self.images * self.geometry.positions()]
    }

    /// Fills `room` with the patches of a group of images.
    fn unfold<'a, T: Element>(&self, images: &[T], room: &'a mut Vec<T>) -> Matrix<'a, T> {
        let columns = images.len() / self.geometry.image() * self.geometry.positions();
        if room.len() != columns * self.geometry.patch() {
            // A last, smaller group: its padding lies elsewhere.
            room.clear();
            room.resize(columns * self.geometry.patch(), T::zero());
        }
        for (index, image) in images.chunks(self.geometry.image()).enumerate() {
            self.geometry.unfold(image, room, columns, index * self.geometry.positions());
        }
        Matrix::new(room, self.geometry.patch(), columns)
    }

    /// Images `[images, O, positions]` as a matrix `[O, images · positions]`.
    fn gather<T: Element>(&self, images: &[T], out: &mut Vec<T>) {
        let positions = self.geometry.positions();
        out.clear();
        for output in 0..self.outputs {
            for image in images.chunks(self.out_image()) {
                out.extend_from_slice(&image[output * positions..][..positions]);
            }
        }
    }
}

impl Kernel<3> for Conv2d {
    const NAME: &'static str = "conv2d";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let groups = self.groups(input, weight);
        let (geometry, outputs) = (groups.geometry, groups.outputs);
        let positions = geometry.positions();
        let shape = (input.dims[0], outputs, geometry.out_height(), geometry.out_width()).into();
        if winograd::pays(&geometry, outputs) {
            let mut out = winograd::forward(geometry, outputs, input.values, weight.values);
            out.par_chunks_mut(positions).enumerate().for_each(|(plane, out)| add(bias.values[plane % outputs], out));
            return Ok((out, shape));
        }
        let weights = Matrix::new(weight.values, outputs, geometry.patch());
        let mut out = vec![T::zero(); input.dims[0] * groups.out_image()];
        out.par_chunks_mut(groups.images * groups.out_image())
            .zip(input.values.par_chunks(groups.images * geometry.image()))
            .for_each_init(
                || (groups.room_for_patches(), Vec::new()),
                |(room, products), (out, images)| {
                    let patches = groups.unfold(images, room);
                    let columns = images.len() / geometry.image() * positions;
                    products.resize(outputs * columns, T::zero());
                    multiply_alone(products, weights, patches, Output::Replace);
                    for (index, out) in out.chunks_mut(positions).enumerate() {
                        let (image, output) = (index / outputs, index % outputs);
                        let products = &products[output * columns + image * positions..][..positions];
                        out.copy_from_slice(products);
                        add(bias.values[output], out);
                    }
                },
            );
        Ok((out, shape))
    }

    /// With g upstream, as matrices: ∂patches = wᵀ g, folded back to images; ∂w = Σ over groups of g patchesᵀ;
    /// ∂b = Σ g over images and positions.
    fn backward<T: Element>(
        &self,
        [input, weight, _]: [Array<'_, T>; 3],
        _: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let groups = self.groups(input, weight);
        let (geometry, outputs) = (groups.geometry, groups.outputs);
        let (patch, positions) = (geometry.patch(), geometry.positions());
        if winograd::pays(&geometry, outputs) {
            let arrays = [input.values, weight.values, upstream];
            let [of_input, of_weight] = winograd::backward(geometry, outputs, arrays, [wanted[0], wanted[1]]);
            return Ok([of_input, of_weight, wanted[2].then(|| sums_of_outputs(upstream, outputs, positions))]);
        }
        let weights = Matrix::new(weight.values, outputs, patch);
        let mut of_input = vec![T::zero(); if wanted[0] { input.values.len() } else { 0 }];

        // A part of the batch for each partial sum of the weight gradient: as many whatever the number of threads.
        let count = input.dims[0].div_ceil(groups.images);
        let parts = (PARTIAL_SUMS / weight.values.len()).clamp(2, 16).min(count);
        let images_of_part = count.div_ceil(parts) * groups.images;
        let mut images_of_input: Vec<&mut [T]> =
            of_input.chunks_mut((images_of_part * geometry.image()).max(1)).collect();
        images_of_input.resize_with(input.values.len().div_ceil(images_of_part * geometry.image()), Default::default);
        let partial: Vec<(Vec<T>, Vec<T>)> = images_of_input
            .into_par_iter()
            .zip(input.values.par_chunks(images_of_part * geometry.image()))
            .zip(upstream.par_chunks(images_of_part * groups.out_image()))
            .map(|((of_input, input), upstream)| {
                let mut of_weight = vec![T::zero(); if wanted[1] { weight.values.len() } else { 0 }];
                let mut of_bias = vec![T::zero(); outputs];
                let (mut room, mut gathered, mut of_patches) = (groups.room_for_patches(), Vec::new(), Vec::new());
                let mut of_images = of_input.chunks_mut(groups.images * geometry.image());
                let images = input.chunks(groups.images * geometry.image());
                for (images, upstream) in images.zip(upstream.chunks(groups.images * groups.out_image())) {
                    groups.gather(upstream, &mut gathered);
                    let columns = gathered.len() / outputs;
                    for (of_bias, row) in of_bias.iter_mut().zip(gathered.chunks(columns)) {
                        *of_bias += vectorized(|| sum(columns, |index| row[index]));
                    }
                    let upstream = Matrix::new(&gathered, outputs, columns);
                    if wanted[1] {
                        let patches = groups.unfold(images, &mut room);
                        multiply_alone(&mut of_weight, upstream, patches.transposed(), Output::Add);
                    }
                    if let Some(of_images) = of_images.next() {
                        of_patches.resize(patch * columns, T::zero());
                        multiply_alone(&mut of_patches, weights.transposed(), upstream, Output::Replace);
                        for (index, image) in of_images.chunks_mut(geometry.image()).enumerate() {
                            geometry.fold(&of_patches, columns, index * positions, image);
                        }
                    }
                }
                (of_weight, of_bias)
            })
            .collect();
        let (of_weights, of_biases): (Vec<_>, Vec<_>) = partial.into_iter().unzip();
        Ok([wanted[0].then_some(of_input), wanted[1].then(|| total(of_weights)), wanted[2].then(|| total(of_biases))])
    }
}

fn add<T: Element>(constant: T, values: &mut [T]) {
    vectorized(|| values.iter_mut().for_each(|value| *value += constant));
}

/// Of `[images, O, positions]` the sums over images and positions.
fn sums_of_outputs<T: Element>(values: &[T], outputs: usize, positions: usize) -> Vec<T> {
    let mut sums = vec![T::zero(); outputs];
    for image in values.chunks(outputs * positions) {
        for (total, plane) in sums.iter_mut().zip(image.chunks(positions)) {
            *total += vectorized(|| sum(positions, |index| plane[index]));
        }
    }
    sums
}

/// The sum of vectors, in their order.
fn total<T: Element>(mut parts: Vec<Vec<T>>) -> Vec<T> {
    let mut total = std::mem::take(&mut parts[0]);
    for part in &parts[1..] {
        vectorized(|| {
            for (total, value) in total.iter_mut().zip(part) {
                *total += *value;
            }
        });
    }
    total
}
