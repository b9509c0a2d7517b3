//! The two number types of the fused kernels, and how their loops reach the processor's vector units.

use candle_core::{CpuStorage, WithDType};
use num_traits::Float;

/// f32 or f64.
pub trait Element: WithDType + Float + std::iter::Sum {
    /// eˣ. The f32 version has no call and no branch, so that loops over it become vector instructions.
    fn exponential(self) -> Self;

    /// The values of a storage, if they are of this type.
    fn values_mut(storage: &mut CpuStorage) -> Option<&mut Vec<Self>>;
}

impl Element for f64 {
    fn values_mut(storage: &mut CpuStorage) -> Option<&mut Vec<Self>> {
        if let CpuStorage::F64(values) = storage { Some(values) } else { None }
    }

    fn exponential(self) -> Self {
        libm::exp(self)
    }
}

impl Element for f32 {
    fn values_mut(storage: &mut CpuStorage) -> Option<&mut Vec<Self>> {
        if let CpuStorage::F32(values) = storage { Some(values) } else { None }
    }

    /// x = n ln 2 + r with |r| ≤ ½ ln 2, eˣ = 2ⁿ eʳ, eʳ by a polynomial of degree 6: within 2 units in the last place.
    #[inline(always)]
    fn exponential(self) -> Self {
        const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³: adding it leaves the nearest integer in the low bits.
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        // Not `clamp`'s min and max: a NaN stays one.
        let x = if self < -87.0 { -87.0 } else { self };
        let x = if x > 88.0 { 88.0 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
        let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0)));
        let power = 1.0 + (r + r * r * (0.5 + r * tail));
        power * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
    }
}

/// Runs `work` compiled for the widest vector unit that this processor has. What it calls must be inlined.
#[inline(always)]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Work on neighbouring places, so many at a time that the compiler knows how many.
pub trait Blocks {
    /// The places `start..start + LANES`. May be called twice for a place, and must then leave the same.
    fn block<const LANES: usize>(&mut self, start: usize);
}

/// `LANES` values from `start` on.
#[inline(always)]
pub fn block_of<T: Copy, const LANES: usize>(values: &[T], start: usize) -> [T; LANES] {
    std::array::from_fn(|lane| values[start..][..LANES][lane])
}

/// Works on `0..count` in blocks as large as fit; the last one may overlap the one before. Inlined in [`vectorized`].
#[inline(always)]
pub fn in_blocks(count: usize, work: &mut impl Blocks) {
    match count {
        16.. => cover::<16>(count, work),
        8.. => cover::<8>(count, work),
        4.. => cover::<4>(count, work),
        _ => cover::<1>(count, work),
    }
}

#[inline(always)]
fn cover<const LANES: usize>(count: usize, work: &mut impl Blocks) {
    let whole = count - count % LANES;
    (0..whole).step_by(LANES).for_each(|start| work.block::<LANES>(start));
    if whole < count {
        work.block::<LANES>(count - LANES);
    }
}

/// Σ f(i) over `0..length`, in an order that depends on `length` alone. Inlined in [`vectorized`]. Many partial sums side
/// by side keep the widest vector unit busy; a few take most of what is left over.
#[inline(always)]
pub fn sum<T: Element>(length: usize, term: impl Fn(usize) -> T) -> T {
    let [sum] = sums(length, |index| [term(index)]);
    sum
}

/// The same of several functions in one pass.
#[inline(always)]
pub fn sums<T: Element, const N: usize>(length: usize, terms: impl Fn(usize) -> [T; N]) -> [T; N] {
    let wide = length - length % 32;
    let narrow = length - length % 8;
    let parts = [
        lanes::<T, N, 32>(0, wide, &terms),
        lanes::<T, N, 8>(wide, narrow, &terms),
        lanes::<T, N, 1>(narrow, length, &terms),
    ];
    std::array::from_fn(|n| parts[0][n] + parts[1][n] + parts[2][n])
}

/// The sums over `start..end`, of a length that `LANES` divides.
#[inline(always)]
fn lanes<T: Element, const N: usize, const LANES: usize>(
    start: usize,
    end: usize,
    terms: &impl Fn(usize) -> [T; N],
) -> [T; N] {
    let mut lanes = [[T::zero(); LANES]; N];
    for first in (start..end).step_by(LANES) {
        for lane in 0..LANES {
            for (lanes, term) in lanes.iter_mut().zip(terms(first + lane)) {
                lanes[lane] += term;
            }
        }
    }
    lanes.map(|lanes| lanes.into_iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_within_two_units_in_the_last_place() {
        for index in -86_000..88_000 {
            let x = index as f32 * 1e-3;
            let (found, right) = (f64::from(x.exponential()), libm::exp(f64::from(x)));
            assert!((found / right - 1.0).abs() < 2.4e-7, "{x}: {found} {right}");
        }
        assert!(f32::NAN.exponential().is_nan());
        assert!(f32::NEG_INFINITY.exponential() < 1e-37);
        assert!(f32::INFINITY.exponential() > 1e38);
    }

    #[test]
    fn blocks_cover_every_place() {
        struct Seen(Vec<u32>);
        impl Blocks for Seen {
            fn block<const LANES: usize>(&mut self, start: usize) {
                self.0[start..start + LANES].iter_mut().for_each(|times| *times += 1);
            }
        }
        for count in 0..70 {
            let mut seen = Seen(vec![0; count]);
            in_blocks(count, &mut seen);
            assert!(seen.0.iter().all(|times| (1..=2).contains(times)), "{count}: {:?}", seen.0);
        }
    }

    #[test]
    fn a_sum_adds_every_term() {
        for length in [0, 1, 31, 32, 33, 100] {
            assert_eq!(vectorized(|| sum(length, |i| i as f64)), (length * length.saturating_sub(1)) as f64 / 2.0);
        }
    }
}
