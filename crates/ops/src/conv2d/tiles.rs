//! Images as square tiles, and the linear maps of tiles before and after the products of Winograd's filtering.

use crate::{element::Element, matrix::Matrix, vector::vectorized};
use rayon::prelude::*;
use std::ops::Range;

/// How images `[images, channels, height, width]` are cut into tiles, which may overlap.
#[derive(Clone, Copy)]
pub struct Tiling {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Width of the frame of zeros around each plane (a channel of an image), in pixels.
    pub padding: usize,
    /// Rows and columns of tiles of a plane.
    pub tiles: [usize; 2],
    /// Distance of neighboring tiles in pixels.
    pub step: usize,
}

/// Number of tiles that a vector holds, a value of each.
const LANES: usize = 16;

/// `LANES` tiles of `SIDE` × `SIDE` values.
type Tiles<T, const SIDE: usize> = [[[T; LANES]; SIDE]; SIDE];

impl Tiling {
    /// Returns the number of tiles that each channel of an image is cut into.
    pub fn tiles_per_image(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// Returns the number of values of an image.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Calls `visit` for the part of each row of a tile that lies in its plane, with its start in the images, its row
    /// and first column in the tile, and its length.
    #[inline(always)]
    fn rows<const SIDE: usize>(&self, channel: usize, tile: usize, mut visit: impl FnMut(usize, usize, usize, usize)) {
        let (image, tile) = (tile / self.tiles_per_image(), tile % self.tiles_per_image());
        let plane = (image * self.channels + channel) * self.height * self.width;
        let (top, left) = (tile / self.tiles[1] * self.step, tile % self.tiles[1] * self.step);
        let column = self.padding.saturating_sub(left);
        let x = (left + column) - self.padding;
        let length = SIDE.saturating_sub(column).min(self.width.saturating_sub(x));
        let first = self.padding.saturating_sub(top);
        let end = SIDE.min((self.height + self.padding).saturating_sub(top));
        for row in first..end {
            visit(plane + (top + row - self.padding) * self.width + x, row, column, length);
        }
    }

    /// Returns tiles of a channel, with zeros outside the plane.
    #[inline(always)]
    fn gather<T: Element, const SIDE: usize>(
        &self,
        values: &[T],
        channel: usize,
        tiles: Range<usize>,
    ) -> Tiles<T, SIDE> {
        let mut gathered = [[[T::zero(); LANES]; SIDE]; SIDE];
        for (lane, tile) in tiles.enumerate() {
            self.rows::<SIDE>(channel, tile, |start, row, column, length| {
                for (place, value) in gathered[row][column..].iter_mut().zip(&values[start..][..length]) {
                    place[lane] = *value;
                }
            });
        }
        gathered
    }

    /// Adds tiles of a channel to the images.
    #[inline(always)]
    fn scatter<T: Element, const SIDE: usize>(
        &self,
        tiles: &Tiles<T, SIDE>,
        values: &mut [T],
        channel: usize,
        range: Range<usize>,
    ) {
        for (lane, tile) in range.enumerate() {
            self.rows::<SIDE>(channel, tile, |start, row, column, length| {
                for (place, value) in tiles[row][column..].iter().zip(&mut values[start..][..length]) {
                    *value += place[lane];
                }
            });
        }
    }
}

/// Writes L x Lᵀ to `mapped` for each tile x and the matrix L. Where it is inlined, `matrix` is a constant and its
/// zeros cost nothing.
#[inline(always)]
fn map<T: Element, const ROWS: usize, const COLUMNS: usize>(
    matrix: &[[f64; COLUMNS]; ROWS],
    tiles: &Tiles<T, COLUMNS>,
    mapped: &mut Tiles<T, ROWS>,
) {
    let mut half = [[[T::zero(); LANES]; COLUMNS]; ROWS];
    for column in 0..COLUMNS {
        for row in 0..ROWS {
            half[row][column] = dot(&matrix[row], |index| &tiles[index][column]);
        }
    }
    for (half, mapped) in half.iter().zip(mapped) {
        for row in 0..ROWS {
            mapped[row] = dot(&matrix[row], |index| &half[index]);
        }
    }
}

/// Returns the sum of vectors, each times its factor.
#[inline(always)]
fn dot<'a, T: Element, const COLUMNS: usize>(
    factors: &[f64; COLUMNS],
    vector: impl Fn(usize) -> &'a [T; LANES],
) -> [T; LANES] {
    let mut sums = [T::zero(); LANES];
    for (index, factor) in factors.iter().enumerate() {
        if *factor != 0.0 {
            let factor = T::from_f64(*factor);
            for (sum, value) in sums.iter_mut().zip(vector(index)) {
                *sum += factor * *value;
            }
        }
    }
    sums
}

/// Copies the lanes in use. All of them together are one vector, which needs no call of the general copy.
#[inline(always)]
fn copy<T: Element>(from: &[T], to: &mut [T]) {
    match (from.first_chunk::<LANES>(), to.first_chunk_mut::<LANES>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}

/// Transformed tiles, `[channels, places, tiles]`: for each channel and each place in a tile, the values of all tiles.
pub struct Transformed<T> {
    values: Vec<T>,
    channels: usize,
    places: usize,
    tiles: usize,
}

impl<T> Transformed<T> {
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns the values at a place, `[channels, tiles]`.
    pub fn at(&self, place: usize) -> Matrix<'_, T> {
        Matrix::spaced(&self.values[place * self.tiles..], self.channels, self.tiles, self.places * self.tiles)
    }
}

/// Cuts images into tiles x and returns L x Lᵀ for the matrix L.
pub fn transform<T: Element, const SIDE: usize, const ROWS: usize>(
    tiling: Tiling,
    images: &[T],
    matrix: &'static [[f64; SIDE]; ROWS],
) -> Transformed<T> {
    let tiles = images.len() / tiling.image() * tiling.tiles_per_image();
    let places = ROWS * ROWS;
    let mut values = vec![T::zero(); tiling.channels * places * tiles];
    values.par_chunks_mut(places * tiles).enumerate().for_each(|(channel, out)| {
        vectorized(|| {
            for first in (0..tiles).step_by(LANES) {
                let range = first..tiles.min(first + LANES);
                let gathered = tiling.gather::<T, SIDE>(images, channel, range.clone());
                let mut mapped = [[[T::zero(); LANES]; ROWS]; ROWS];
                map(matrix, &gathered, &mut mapped);
                for (place, values) in mapped.as_flattened().iter().enumerate() {
                    copy(&values[..range.len()], &mut out[place * tiles..][range.clone()]);
                }
            }
        });
    });
    Transformed { values, channels: tiling.channels, places, tiles }
}

/// Adds L x Lᵀ for tiles x, `[places, channels, tiles]`, and the matrix L to the images.
pub fn add_transformed<T: Element, const SIDE: usize, const ROWS: usize>(
    tiling: Tiling,
    values: &[T],
    matrix: &'static [[f64; SIDE]; ROWS],
    images: &mut [T],
) {
    let tiles = images.len() / tiling.image() * tiling.tiles_per_image();
    let images_per_task = LANES.div_ceil(tiling.tiles_per_image());
    images.par_chunks_mut(images_per_task * tiling.image()).enumerate().for_each(|(task, images)| {
        let first_tile = task * images_per_task * tiling.tiles_per_image();
        let task_tiles = images.len() / tiling.image() * tiling.tiles_per_image();
        vectorized(|| {
            for channel in 0..tiling.channels {
                for first in (0..task_tiles).step_by(LANES) {
                    let range = first..task_tiles.min(first + LANES);
                    let mut read = [[[T::zero(); LANES]; SIDE]; SIDE];
                    for (place, lanes) in read.as_flattened_mut().iter_mut().enumerate() {
                        let start = (place * tiling.channels + channel) * tiles + first_tile + first;
                        copy(&values[start..][..range.len()], &mut lanes[..range.len()]);
                    }
                    let mut mapped = [[[T::zero(); LANES]; ROWS]; ROWS];
                    map(matrix, &read, &mut mapped);
                    tiling.scatter(&mapped, images, channel, range);
                }
            }
        });
    });
}
