//! Planes of pixels as square tiles, and linear maps of tiles: what [`winograd`](super::winograd) does around its products.

use super::{
    element::{Element, vectorized},
    matrix::Matrix,
};
use rayon::prelude::*;

/// `[images, channels, height, width]` cut into tiles, which may overlap.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Zeros around a plane.
    pub padding: usize,
    /// In a column of tiles and in a row of them.
    pub tiles: [usize; 2],
    /// Pixels from one tile to the next.
    pub step: usize,
}

/// Tiles that are worked on side by side.
const LANES: usize = 16;

/// So many tiles of so many values a side.
type Tiles<T, const SIDE: usize> = [[[T; LANES]; SIDE]; SIDE];

impl Planes {
    pub fn tiles_of_image(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// Values of an image.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Shows `visit` every row of a tile that lies in its plane: where it begins in the images, which row of the tile it
    /// is, at which of its columns it begins, and its length.
    #[inline(always)]
    fn rows<const SIDE: usize>(&self, channel: usize, tile: usize, mut visit: impl FnMut(usize, usize, usize, usize)) {
        let (image, tile) = (tile / self.tiles_of_image(), tile % self.tiles_of_image());
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

    /// Tiles of a channel, zero where they reach beyond the plane.
    #[inline(always)]
    fn gather<T: Element, const SIDE: usize>(
        &self,
        values: &[T],
        channel: usize,
        tiles: std::ops::Range<usize>,
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

    /// Adds tiles to where they lie.
    #[inline(always)]
    fn scatter<T: Element, const SIDE: usize>(
        &self,
        tiles: &Tiles<T, SIDE>,
        values: &mut [T],
        channel: usize,
        range: std::ops::Range<usize>,
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

/// L x Lᵀ for each tile x. `matrix` is a constant where this is inlined, so that its zeros cost nothing.
#[inline(always)]
fn sandwich<T: Element, const ROWS: usize, const COLUMNS: usize>(
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

/// The sum of vectors, each times a factor.
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

/// Copies the lanes that are taken. All of them are one vector, which needs no call.
#[inline(always)]
fn copy<T: Element>(from: &[T], to: &mut [T]) {
    match (from.first_chunk::<LANES>(), to.first_chunk_mut::<LANES>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}

/// Mapped tiles, `[channels, places, tiles]`: of each channel and each place in a tile, the value there of every tile.
pub(super) struct Spread<T> {
    values: Vec<T>,
    channels: usize,
    places: usize,
    tiles: usize,
}

impl<T> Spread<T> {
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// `[channels, tiles]` at a place.
    pub fn at(&self, place: usize) -> Matrix<'_, T> {
        Matrix::spaced(&self.values[place * self.tiles..], self.channels, self.tiles, self.places * self.tiles)
    }
}

/// Cuts images into tiles x and gives L x Lᵀ.
pub(super) fn spread<T: Element, const SIDE: usize, const ROWS: usize>(
    planes: Planes,
    images: &[T],
    matrix: &'static [[f64; SIDE]; ROWS],
) -> Spread<T> {
    let tiles = images.len() / planes.image() * planes.tiles_of_image();
    let places = ROWS * ROWS;
    let mut values = vec![T::zero(); planes.channels * places * tiles];
    values.par_chunks_mut(places * tiles).enumerate().for_each(|(channel, out)| {
        vectorized(|| {
            for first in (0..tiles).step_by(LANES) {
                let range = first..tiles.min(first + LANES);
                let gathered = planes.gather::<T, SIDE>(images, channel, range.clone());
                let mut mapped = [[[T::zero(); LANES]; ROWS]; ROWS];
                sandwich(matrix, &gathered, &mut mapped);
                for (place, values) in mapped.as_flattened().iter().enumerate() {
                    copy(&values[..range.len()], &mut out[place * tiles..][range.clone()]);
                }
            }
        });
    });
    Spread { values, channels: planes.channels, places, tiles }
}

/// Adds L x Lᵀ for tiles x, `[places, channels, tiles]`, to the images that they are tiles of.
pub(super) fn collect<T: Element, const SIDE: usize, const ROWS: usize>(
    planes: Planes,
    values: &[T],
    matrix: &'static [[f64; SIDE]; ROWS],
    images: &mut [T],
) {
    let tiles = images.len() / planes.image() * planes.tiles_of_image();
    let of_task = LANES.div_ceil(planes.tiles_of_image());
    images.par_chunks_mut(of_task * planes.image()).enumerate().for_each(|(task, images)| {
        let skipped = task * of_task * planes.tiles_of_image();
        let of_images = images.len() / planes.image() * planes.tiles_of_image();
        vectorized(|| {
            for channel in 0..planes.channels {
                for first in (0..of_images).step_by(LANES) {
                    let range = first..of_images.min(first + LANES);
                    let mut read = [[[T::zero(); LANES]; SIDE]; SIDE];
                    for (place, lanes) in read.as_flattened_mut().iter_mut().enumerate() {
                        let start = (place * planes.channels + channel) * tiles + skipped + first;
                        copy(&values[start..][..range.len()], &mut lanes[..range.len()]);
                    }
                    let mut mapped = [[[T::zero(); LANES]; ROWS]; ROWS];
                    sandwich(matrix, &read, &mut mapped);
                    planes.scatter(&mapped, images, channel, range);
                }
            }
        });
    });
}
