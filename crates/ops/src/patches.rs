//! Images as matrices of patches (im2col), so that a convolution becomes a matrix product.

use super::element::{Element, vectorized};

/// Shapes of a convolution. `[N, C, H, W]` with kernel `[O, C, kh, kw]` gives `[N, O, H', W']`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub kernel_height: usize,
    pub kernel_width: usize,
    /// Pixels between neighbouring windows.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
}

impl Geometry {
    /// H′ = (H + 2 padding − kh) / stride + 1, rounded down.
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel_height) / self.stride + 1
    }

    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel_width) / self.stride + 1
    }

    /// Pixels of a channel of the output.
    pub fn positions(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Values of a patch: C · kh · kw, the rows of the matrix of patches.
    pub fn patch(&self) -> usize {
        self.channels * self.kernel_height * self.kernel_width
    }

    /// Values of an image of the input.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Shows `visit` every run of the matrix of patches that lies in the image: where it begins in the matrix's row,
    /// where in the image, and its length; `stride` pixels of the image apart. What no run covers is padding.
    #[inline(always)]
    fn runs(&self, row: usize, mut visit: impl FnMut(usize, usize, usize)) {
        let (plane, tap) =
            (row / (self.kernel_height * self.kernel_width), row % (self.kernel_height * self.kernel_width));
        let (tap_y, tap_x) = (tap / self.kernel_width, tap % self.kernel_width);
        // Output columns whose pixel lies inside: padding ≤ x · stride + tap_x < width + padding.
        let first = self.padding.saturating_sub(tap_x).div_ceil(self.stride);
        let end = (self.width + self.padding).saturating_sub(tap_x).div_ceil(self.stride).min(self.out_width());
        if first >= end {
            return;
        }
        for y in 0..self.out_height() {
            let Some(source_y) = (y * self.stride + tap_y).checked_sub(self.padding) else { continue };
            if source_y >= self.height {
                break;
            }
            let source_x = first * self.stride + tap_x - self.padding;
            let source = (plane * self.height + source_y) * self.width + source_x;
            visit(y * self.out_width() + first, source, end - first);
        }
    }

    /// Writes the patches of `image` into columns `at..` of a matrix of `columns` columns, one row for each value of a
    /// patch. The padding must be zero already.
    pub fn unfold<T: Element>(&self, image: &[T], patches: &mut [T], columns: usize, at: usize) {
        vectorized(|| {
            for row in 0..self.patch() {
                let out = &mut patches[row * columns + at..][..self.positions()];
                self.runs(row, |position, source, length| {
                    let out = &mut out[position..][..length];
                    if self.stride == 1 {
                        copy(&image[source..][..length], out);
                    } else {
                        for (out, value) in out.iter_mut().zip(image[source..].iter().step_by(self.stride)) {
                            *out = *value;
                        }
                    }
                });
            }
        });
    }

    /// The transpose of [`unfold`](Self::unfold): adds each column of patches to the pixels it was taken from.
    pub fn fold<T: Element>(&self, patches: &[T], columns: usize, at: usize, image: &mut [T]) {
        vectorized(|| {
            for row in 0..self.patch() {
                let patches = &patches[row * columns + at..][..self.positions()];
                self.runs(row, |position, source, length| {
                    let values = &patches[position..][..length];
                    if self.stride == 1 {
                        for (pixel, value) in image[source..][..length].iter_mut().zip(values) {
                            *pixel += *value;
                        }
                    } else {
                        for (pixel, value) in image[source..].iter_mut().step_by(self.stride).zip(values) {
                            *pixel += *value;
                        }
                    }
                });
            }
        });
    }
}

/// Copies a short run. Whole vectors, the last one overlapping the one before, are several times as fast here as a call
/// of the general copy.
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
