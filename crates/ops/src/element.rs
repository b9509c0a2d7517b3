//! The two number types of the fused kernels.

use candle_core::{CpuStorage, WithDType};
use num_traits::Float;

/// f32 or f64.
pub trait Element: WithDType + Float + std::iter::Sum {
    /// Returns eˣ. The f32 version has neither calls nor branches, so the compiler vectorizes loops over it.
    fn exponential(self) -> Self;

    /// Returns the values of a storage if they have this type.
    fn values_mut(storage: &mut CpuStorage) -> Option<&mut Vec<Self>>;
}

impl Element for f64 {
    fn exponential(self) -> Self {
        libm::exp(self)
    }

    fn values_mut(storage: &mut CpuStorage) -> Option<&mut Vec<Self>> {
        if let CpuStorage::F64(values) = storage { Some(values) } else { None }
    }
}

impl Element for f32 {
    /// With x = n ln 2 + r and |r| ≤ ½ ln 2: eˣ = 2ⁿ eʳ, and eʳ is a polynomial of degree 6. The error is below 2 units
    /// in the last place.
    #[inline(always)]
    fn exponential(self) -> Self {
        const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³: adding it leaves the nearest integer in the low bits.
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        // `clamp` would turn NaN into a bound; these comparisons keep it.
        let x = if self < -87.0 { -87.0 } else { self };
        let x = if x > 88.0 { 88.0 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
        let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0)));
        let power = 1.0 + (r + r * r * (0.5 + r * tail));
        power * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
    }

    fn values_mut(storage: &mut CpuStorage) -> Option<&mut Vec<Self>> {
        if let CpuStorage::F32(values) = storage { Some(values) } else { None }
    }
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
}
