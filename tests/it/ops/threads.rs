//! The number of threads changes no bit of a fused operation's output and gradients.

use crate::ops::{cases::large, op::Implementation};
use candle_core::DType;

#[test]
fn any_number_gives_the_same_bits() {
    let pools = [1, 2, 3].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    for case in large() {
        let [one, two, three] =
            pools.each_ref().map(|pool| pool.install(|| case.pull(Implementation::Fused, DType::F32)));
        assert!(one == two && one == three, "{case:?}");
    }
}
