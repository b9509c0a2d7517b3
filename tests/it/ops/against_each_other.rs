//! Comparison of the two implementations: outputs, gradients of all inputs, and statistics.

use super::{
    cases::{Case, for_every_operation, large, normalizations},
    op::{
        BOTH,
        Implementation::{Composed, Fused},
        Op,
    },
    pullback::{assert_close, values},
};
use candle_core::DType::{F32, F64};
use normbook_ops::normalize::{normalize_composed, normalize_fused};
use proptest::prelude::*;

/// Asserts that both implementations agree in f64 and come close to that in f32.
fn agree(case: &Case) {
    let expected = case.pull(Composed, F64);
    assert_close(&case.pull(Fused, F64), &expected, 1e-12, (case, Fused));
    for implementation in BOTH {
        assert_close(&case.pull(implementation, F32), &expected, case.precision(), (case, implementation, F32));
    }
}

for_every_operation!(agree, 64);

/// Shapes for which the fused implementation uses Winograd's filtering, and some close to them.
#[test]
fn convolutions_with_many_channels() {
    for (input, outputs) in [([2, 64, 8, 8], 64), ([1, 33, 7, 7], 35), ([3, 40, 9, 5], 64), ([1, 512, 4, 4], 512)] {
        agree(&Case::same_conv2d(input, outputs));
    }
}

/// On one thread, where each part of the work finds in the buffers what the part before it left.
#[test]
fn large_inputs() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| large().iter().for_each(agree));
}

proptest! {
    /// The statistics, which moving averages are computed from.
    #[test]
    fn statistics(case in normalizations()) {
        let Op::Normalize(config, _) = case.op else { unreachable!() };
        let inputs = case.inputs(F64).unwrap();
        let [composed, fused] = [normalize_composed, normalize_fused].map(|normalize| {
            let normalized = normalize(&inputs[0], &inputs[1], &inputs[2], config).unwrap();
            let values_per_set = vec![normalized.values_per_set as f64];
            [values(&normalized.mean).unwrap(), values(&normalized.scale_stat).unwrap(), values_per_set]
        });
        assert_close(&fused, &composed, 1e-12, case);
    }
}
