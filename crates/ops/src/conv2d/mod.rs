//! Two-dimensional convolution (cross-correlation, as everywhere in deep learning):
//! `z[n, o, y, x] = b[o] + Σ over c, i, j of w[o, c, i, j] · a[n, c, y·s + i − p, x·s + j − p]`
//! with stride s and padding p.
//!
//! The fused implementation uses Winograd's filtering where it is faster, else im2col.

mod im2col;
mod patches;
mod tiles;
mod winograd;

use super::{
    array::Array,
    element::Element,
    implementation::Implementation,
    kernel::{Kernel, apply3},
};
use candle_core::{Result, Shape, Tensor, bail};
use patches::Geometry;

/// The windows of the input that a convolution multiplies with its filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Distance of neighboring windows in pixels, at least 1.
    pub stride: usize,
    /// Width of the frame of zeros around the image, in pixels.
    pub padding: usize,
}

/// Returns z, `[N, O, H′, W′]`, from the input a `[N, C, H, W]`, the weight w `[O, C, kh, kw]` and the bias b `[O]`,
/// with H′ = (H + 2p − kh) / s + 1, rounded down. Errors on shapes that do not match, on an empty batch, and on a
/// filter larger than the padded image.
pub fn conv2d(input: &Tensor, weight: &Tensor, bias: &Tensor, windows: Windows) -> Result<Tensor> {
    output_dims(input, weight, bias, windows)?;
    match Implementation::of(input)? {
        Implementation::Composed => conv2d_composed(input, weight, bias, windows),
        Implementation::Fused => conv2d_fused(input, weight, bias, windows),
    }
}

/// Returns the dimensions of z, `[N, O, H′, W′]`. Errors as [`conv2d()`].
pub(super) fn output_dims(input: &Tensor, weight: &Tensor, bias: &Tensor, windows: Windows) -> Result<[usize; 4]> {
    let (examples, channels, height, width) = input.dims4()?;
    let (outputs, weight_channels, filter_height, filter_width) = weight.dims4()?;
    if (channels, outputs) != (weight_channels, bias.dims1()?) {
        bail!(
            "conv2d: input {:?}, weight {:?} and bias {:?} do not match; they are [N, C, H, W], [O, C, kh, kw] and [O]",
            input.dims(),
            weight.dims(),
            bias.dims()
        );
    }
    if examples == 0 {
        bail!("conv2d: the batch is empty: input {:?}", input.dims());
    }
    if [channels, height, width, outputs, filter_height, filter_width].contains(&0) {
        bail!("conv2d: input {:?} or weight {:?} has no values", input.dims(), weight.dims());
    }
    if windows.stride == 0 {
        bail!("conv2d: the stride is 0; it must be at least 1");
    }
    let padded = [height + 2 * windows.padding, width + 2 * windows.padding];
    if padded[0] < filter_height || padded[1] < filter_width {
        bail!(
            "conv2d: a filter of {filter_height} × {filter_width} is larger than the padded image of {} × {}",
            padded[0],
            padded[1]
        );
    }
    let positions = |padded: usize, filter: usize| (padded - filter) / windows.stride + 1;
    Ok([examples, outputs, positions(padded[0], filter_height), positions(padded[1], filter_width)])
}

/// Returns [`conv2d()`] by candle's own, on images without the last pixels that the stride skips: candle computes no
/// gradient for images with them.
pub fn conv2d_composed(input: &Tensor, weight: &Tensor, bias: &Tensor, windows: Windows) -> Result<Tensor> {
    let Windows { stride, padding } = windows;
    let (_, _, filter_height, filter_width) = weight.dims4()?;
    let mut images = input.pad_with_zeros(2, padding, padding)?.pad_with_zeros(3, padding, padding)?;
    for (axis, filter) in [(2, filter_height), (3, filter_width)] {
        let length = images.dim(axis)?;
        images = images.narrow(axis, 0, length - (length - filter) % stride)?;
    }
    images.conv2d(weight, 0, stride, 1, 1)?.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?)
}

/// Returns [`conv2d()`] by matrix products.
pub fn conv2d_fused(input: &Tensor, weight: &Tensor, bias: &Tensor, windows: Windows) -> Result<Tensor> {
    apply3(Conv2d(windows), input, weight, bias)
}

/// The fused kernel.
pub(super) struct Conv2d(pub Windows);

impl Conv2d {
    fn geometry<T>(&self, input: Array<'_, T>, weight: Array<'_, T>) -> Geometry {
        Geometry {
            channels: input.dims[1],
            height: input.dims[2],
            width: input.dims[3],
            outputs: weight.dims[0],
            filter_height: weight.dims[2],
            filter_width: weight.dims[3],
            stride: self.0.stride,
            padding: self.0.padding,
        }
    }
}

impl Kernel<3> for Conv2d {
    const NAME: &'static str = "conv2d";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let geometry = self.geometry(input, weight);
        let arrays = [input.values, weight.values, bias.values];
        let out = if winograd::is_faster(&geometry) {
            winograd::forward(geometry, arrays)
        } else {
            im2col::forward(geometry, arrays)
        };
        Ok((out, (input.dims[0], geometry.outputs, geometry.out_height(), geometry.out_width()).into()))
    }

    fn backward<T: Element>(
        &self,
        [input, weight, _]: [Array<'_, T>; 3],
        _: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let geometry = self.geometry(input, weight);
        let arrays = [input.values, weight.values, upstream];
        Ok(if winograd::is_faster(&geometry) {
            winograd::backward(geometry, arrays, wanted)
        } else {
            im2col::backward(geometry, arrays, wanted)
        })
    }
}
