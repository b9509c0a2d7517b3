//! What the machine can do at best.

use super::measure::pool;
use anyhow::Result;
use normbook_ops::matrix::{Matrix, Write, multiply};
use rayon::prelude::*;
use std::time::Instant;

/// Side of the matrices.
const SIDE: usize = 1024;
/// Values to copy: more than any cache holds.
const LENGTH: usize = 1 << 26;

/// `GFLOPS GBPS`, the best of several runs.
pub fn measure(threads: usize) -> Result<String> {
    pool(threads)?.install(|| Ok(format!("{} {}", gflops(), gb_per_s(threads))))
}

fn gflops() -> f64 {
    let values = vec![0.5f32; SIDE * SIDE];
    let mut product = vec![0f32; SIDE * SIDE];
    let matrix = Matrix::new(&values, SIDE, SIDE);
    let seconds = fastest(50, || multiply(&mut product, matrix, matrix, Write::Replace));
    2.0 * (SIDE * SIDE * SIDE) as f64 / seconds / 1e9
}

/// Reading and writing counted.
fn gb_per_s(threads: usize) -> f64 {
    let source = vec![1f32; LENGTH];
    let mut target = vec![2f32; LENGTH];
    let part = LENGTH.div_ceil(threads);
    let seconds = fastest(10, || {
        target.par_chunks_mut(part).zip(source.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
    });
    2.0 * (LENGTH * size_of::<f32>()) as f64 / seconds / 1e9
}

/// Seconds of the fastest of so many runs.
fn fastest(runs: usize, mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    (0..runs).map(time).fold(f64::INFINITY, f64::min)
}
