//! Both versions give the same outputs and the same gradients of all inputs.

use crate::{
    cases::{Case, for_every_operation, large, normalizations},
    op::{
        BOTH, Op,
        Version::{Composed, Fused},
    },
    pullback::{assert_close, values},
};
use candle_core::DType::{F32, F64};
use normbook_ops::normalize::{normalize_composed, normalize_fused};
use proptest::prelude::*;

fn agree(case: &Case) {
    let expected = case.pull(Composed, F64);
    assert_close(&case.pull(Fused, F64), &expected, 1e-12, (case, Fused));
    for version in BOTH {
        assert_close(&case.pull(version, F32), &expected, case.precision(), (case, version, F32));
    }
}

for_every_operation!(agree, 64);

/// Shapes for which another algorithm may be chosen.
#[test]
fn convolutions_with_many_channels() {
    for (input, outputs) in [([2, 64, 8, 8], 64), ([1, 33, 7, 7], 35), ([3, 40, 9, 5], 64), ([1, 512, 4, 4], 512)] {
        agree(&Case::same_conv2d(input, outputs));
    }
}

/// On one thread, so that one piece of the work follows another in the same memory.
#[test]
fn large_inputs() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| large().iter().for_each(agree));
}

proptest! {
    /// What batch normalization keeps of the statistics.
    #[test]
    fn statistics(case in normalizations()) {
        let Op::Normalize(how, _) = case.op else { unreachable!() };
        let inputs = case.inputs(F64).unwrap();
        let [composed, fused] = [normalize_composed, normalize_fused].map(|normalize| {
            let normalized = normalize(&inputs[0], &inputs[1], &inputs[2], how).unwrap();
            let values_of_set = vec![normalized.values_of_set as f64];
            [values(&normalized.mean).unwrap(), values(&normalized.spread).unwrap(), values_of_set]
        });
        assert_close(&fused, &composed, 1e-12, case);
    }
}
