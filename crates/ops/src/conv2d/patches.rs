//! Images as matrices of patches (im2col), which make a convolution a matrix product.

use crate::{element::Element, vector::vectorized};

/// The sizes of a convolution: `[N, C, H, W]` with the weight `[O, C, kh, kw]` gives `[N, O, H′, W′]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// C.
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// O.
    pub outputs: usize,
    pub filter_height: usize,
    pub filter_width: usize,
    /// Distance of neighboring windows in pixels.
    pub stride: usize,
    /// Width of the frame of zeros, in pixels.
    pub padding: usize,
}

impl Geometry {
    /// Returns H′ = (H + 2 padding − kh) / stride + 1, rounded down.
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.filter_height) / self.stride + 1
    }

    /// Returns W′.
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.filter_width) / self.stride + 1
    }

    /// Returns the number of windows of an image, H′ · W′.
    pub fn positions(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Returns the number of values of a patch, C · kh · kw: the rows of a matrix of patches.
    pub fn patch(&self) -> usize {
        self.channels * self.filter_height * self.filter_width
    }

    /// Returns the number of values of an image of the input, C · H · W.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Returns the number of values of an image of the output, O · H′ · W′.
    pub fn out_image(&self) -> usize {
        self.outputs * self.positions()
    }

    /// Calls `visit` for every run of values in a row of the matrix of patches that lies inside the image, with its
    /// start in the row, its start in the image, and its length; its values are `stride` apart in the image. The other
    /// values of the row are padding.
    #[inline(always)]
    fn runs(&self, row: usize, mut visit: impl FnMut(usize, usize, usize)) {
        let (plane, tap) =
            (row / (self.filter_height * self.filter_width), row % (self.filter_height * self.filter_width));
        let (tap_y, tap_x) = (tap / self.filter_width, tap % self.filter_width);
        // Columns of the output whose pixel lies inside: padding ≤ x · stride + tap_x < width + padding.
        let first = self.padding.saturating_sub(tap_x).div_ceil(self.stride);
        let end = (self.width + self.padding).saturating_sub(tap_x).div_ceil(self.stride).min(self.out_width());
        if first >= end {
            return;
        }
        for y in 0..self.out_height() {
            let Some(image_y) = (y * self.stride + tap_y).checked_sub(self.padding) else { continue };
            if image_y >= self.height {
                break;
            }
            let image_x = first * self.stride + tap_x - self.padding;
            let start = (plane * self.height + image_y) * self.width + image_x;
            visit(y * self.out_width() + first, start, end - first);
        }
    }

    /// Writes the patches of `image` into the columns from `at` on of a matrix of `columns` columns, which has a row
    /// for each value of a patch. The matrix must be zero where there is padding.
    pub fn unfold<T: Element>(&self, image: &[T], patches: &mut [T], columns: usize, at: usize) {
        vectorized(|| {
            for row in 0..self.patch() {
                let out = &mut patches[row * columns + at..][..self.positions()];
                self.runs(row, |position, start, length| {
                    let out = &mut out[position..][..length];
                    if self.stride == 1 {
                        copy(&image[start..][..length], out);
                    } else {
                        for (out, value) in out.iter_mut().zip(image[start..].iter().step_by(self.stride)) {
                            *out = *value;
                        }
                    }
                });
            }
        });
    }

    /// Adds each column of patches to the pixels it was taken from: the transpose of [`unfold`](Self::unfold).
    pub fn fold<T: Element>(&self, patches: &[T], columns: usize, at: usize, image: &mut [T]) {
        vectorized(|| {
            for row in 0..self.patch() {
                let patches = &patches[row * columns + at..][..self.positions()];
                self.runs(row, |position, start, length| {
                    let values = &patches[position..][..length];
                    if self.stride == 1 {
                        for (pixel, value) in image[start..][..length].iter_mut().zip(values) {
                            *pixel += *value;
                        }
                    } else {
                        for (pixel, value) in image[start..].iter_mut().step_by(self.stride).zip(values) {
                            *pixel += *value;
                        }
                    }
                });
            }
        });
    }
}

/// Copies a short run in whole vectors, the last one overlapping the one before it, which is several times faster than
/// a call of the general copy.
#[inline(always)]
fn copy<T: Element>(from: &[T], to: &mut [T]) {
    let length = from.len();
    if length >= 8 {
        for (to, from) in to.as_chunks_mut::<8>().0.iter_mut().zip(from.as_chunks::<8>().0) {
            *to = *from;
        }
        to[length - 8..].copy_from_slice(&from[length - 8..]);
    } else if length >= 4 {
        to[..4].copy_from_slice(&from[..4]);
        to[length - 4..].copy_from_slice(&from[length - 4..]);
    } else {
        to.copy_from_slice(from);
    }
}
