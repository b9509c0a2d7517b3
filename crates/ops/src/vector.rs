//! Loops that reach the processor's vector units.

use super::element::Element;

/// Runs `work` compiled for the widest vector unit of this processor. Functions that `work` calls must be inlined.
#[inline(always)]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Work on neighboring indices, several at a time, whose number is known when it is compiled.
pub trait VectorWork {
    /// Works on the indices `start..start + LANES`. Repeating it for an index must not change the result.
    fn apply<const LANES: usize>(&mut self, start: usize);
}

/// Returns the `LANES` values from `start` on.
#[inline(always)]
pub fn load<T: Copy, const LANES: usize>(values: &[T], start: usize) -> [T; LANES] {
    std::array::from_fn(|lane| values[start..][..LANES][lane])
}

/// Works on `0..count` in the widest vectors that fit; the last one may overlap the one before it. Call it inside
/// [`vectorized`].
#[inline(always)]
pub fn in_vectors(count: usize, work: &mut impl VectorWork) {
    match count {
        16.. => in_lanes::<16>(count, work),
        8.. => in_lanes::<8>(count, work),
        4.. => in_lanes::<4>(count, work),
        _ => in_lanes::<1>(count, work),
    }
}

#[inline(always)]
fn in_lanes<const LANES: usize>(count: usize, work: &mut impl VectorWork) {
    let whole = count - count % LANES;
    (0..whole).step_by(LANES).for_each(|start| work.apply::<LANES>(start));
    if whole < count {
        work.apply::<LANES>(count - LANES);
    }
}

/// Returns Σ term(i) over i in `0..length`, added in an order that depends on `length` alone. Call it inside
/// [`vectorized`].
#[inline(always)]
pub fn sum<T: Element>(length: usize, term: impl Fn(usize) -> T) -> T {
    let [sum] = sums(length, |index| [term(index)]);
    sum
}

/// Returns the sums of `N` terms in one pass, as [`sum`]. 32 partial sums of each keep the widest vector unit busy, 8
/// take most of what remains.
#[inline(always)]
pub fn sums<T: Element, const N: usize>(length: usize, terms: impl Fn(usize) -> [T; N]) -> [T; N] {
    let wide = length - length % 32;
    let narrow = length - length % 8;
    let parts = [
        sums_in_lanes::<T, N, 32>(0, wide, &terms),
        sums_in_lanes::<T, N, 8>(wide, narrow, &terms),
        sums_in_lanes::<T, N, 1>(narrow, length, &terms),
    ];
    std::array::from_fn(|n| parts[0][n] + parts[1][n] + parts[2][n])
}

/// Returns the sums over `start..end`, whose length `LANES` divides.
#[inline(always)]
fn sums_in_lanes<T: Element, const N: usize, const LANES: usize>(
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
    fn vectors_cover_every_index() {
        struct Visits(Vec<u32>);
        impl VectorWork for Visits {
            fn apply<const LANES: usize>(&mut self, start: usize) {
                self.0[start..start + LANES].iter_mut().for_each(|times| *times += 1);
            }
        }
        for count in 0..70 {
            let mut visits = Visits(vec![0; count]);
            in_vectors(count, &mut visits);
            assert!(visits.0.iter().all(|times| (1..=2).contains(times)), "{count}: {:?}", visits.0);
        }
    }

    #[test]
    fn a_sum_adds_every_term() {
        for length in [0, 1, 31, 32, 33, 100] {
            assert_eq!(vectorized(|| sum(length, |i| i as f64)), (length * length.saturating_sub(1)) as f64 / 2.0);
        }
    }
}
