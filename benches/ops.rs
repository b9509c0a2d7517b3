//! Each operation forward and backward, fused beside composed, on one thread:
//! `cargo bench --bench ops`, or with part of a name behind it.

#[path = "shared/one_thread.rs"]
mod one_thread;

use candle_core::{DType, Device, Result, Tensor, Var};
use divan::Bencher;
use normbook_lab::seed::{Purpose, Seed};
use normbook_ops::activation::{relu_composed, relu_fused, sigmoid_composed, sigmoid_fused};
use normbook_ops::block::Source;
use normbook_ops::conv2d::{Windows, conv2d_composed, conv2d_fused};
use normbook_ops::cross_entropy::{cross_entropy_composed, cross_entropy_fused};
use normbook_ops::linear::{linear_composed, linear_fused};
use normbook_ops::normalize::{Axes, Epilogue, Normalization, ScaleStatistic, normalize_composed, normalize_fused};
use normbook_ops::pool::{avg_pool2d_composed, avg_pool2d_fused, max_pool2d_composed, max_pool2d_fused};
use normbook_ops::sgd;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    one_thread::main()
}

/// The two versions of an operation, by name.
#[derive(Clone, Copy, Debug)]
enum Version {
    Fused,
    Composed,
}

use Version::{Composed, Fused};

const VERSIONS: [Version; 2] = [Fused, Composed];

fn variable(dims: &[usize]) -> Var {
    let values = Seed(0).stream(Purpose::Noise, 0).normal_tensor(dims, 1.0, &Device::Cpu).expect("valid dimensions");
    Var::from_tensor(&values).expect("a tensor on the CPU")
}

fn time(bencher: Bencher, operation: impl Fn() -> Result<Tensor> + Sync) {
    bencher.bench(|| operation().and_then(|output| output.backward()).expect("the shapes fit"));
}

#[divan::bench(args = VERSIONS)]
fn linear_60x784_to_100(bencher: Bencher, version: Version) {
    let (x, w, b) = (variable(&[60, 784]), variable(&[100, 784]), variable(&[100]));
    time(bencher, || match version {
        Fused => linear_fused(&x, &w, &b),
        Composed => linear_composed(&x, &w, &b),
    });
}

/// A convolution 3 × 3 with padding 1 on 32 images.
fn convolution(bencher: Bencher, version: Version, [inputs, outputs, side]: [usize; 3]) {
    let (x, w) = (variable(&[32, inputs, side, side]), variable(&[outputs, inputs, 3, 3]));
    let (b, windows) = (variable(&[outputs]), Windows { stride: 1, padding: 1 });
    time(bencher, || match version {
        Fused => conv2d_fused(&x, &w, &b, windows),
        Composed => conv2d_composed(&x, &w, &b, windows),
    });
}

#[divan::bench(args = VERSIONS)]
fn conv2d_16_to_32_on_14x14(bencher: Bencher, version: Version) {
    convolution(bencher, version, [16, 32, 14]);
}

#[divan::bench(args = VERSIONS, sample_count = 10)]
fn conv2d_64_to_128_on_16x16(bencher: Bencher, version: Version) {
    convolution(bencher, version, [64, 128, 16]);
}

/// By Winograd's filtering where it is fused.
#[divan::bench(args = VERSIONS, sample_count = 10)]
fn conv2d_256_to_256_on_8x8(bencher: Bencher, version: Version) {
    convolution(bencher, version, [256, 256, 8]);
}

/// Convolution, batch normalization, maximum pooling and ReLU.
#[divan::bench(args = VERSIONS, sample_count = 10)]
fn block_16_to_32_on_14x14(bencher: Bencher, version: Version) {
    let (x, w) = (variable(&[32, 16, 14, 14]), variable(&[32, 16, 3, 3]));
    let [offset, weight, bias] = [0; 3].map(|_| variable(&[32]));
    let windows = Windows { stride: 1, padding: 1 };
    let how = Normalization { over: Axes::Batch, divisor: ScaleStatistic::Deviation, epsilon: 1e-5 };
    time(bencher, || match version {
        Fused => {
            let source = Source::Convolution { input: &x, weight: &w, bias: &offset, windows };
            Ok(source.normalize_then(&weight, &bias, how, Epilogue { window: 2, relu: true })?.output)
        }
        Composed => {
            let convolved = conv2d_composed(&x, &w, &offset, windows)?;
            let normalized = normalize_composed(&convolved, &weight, &bias, how)?.output;
            relu_composed(&max_pool2d_composed(&normalized, 2)?)
        }
    });
}

/// Normalization of `dims`.
fn normalization(bencher: Bencher, version: Version, dims: &[usize], over: Axes) {
    let (x, weight, bias) = (variable(dims), variable(&dims[1..2]), variable(&dims[1..2]));
    let how = Normalization { over, divisor: ScaleStatistic::Deviation, epsilon: 1e-5 };
    time(bencher, || match version {
        Fused => Ok(normalize_fused(&x, &weight, &bias, how)?.output),
        Composed => Ok(normalize_composed(&x, &weight, &bias, how)?.output),
    });
}

#[divan::bench(args = VERSIONS)]
fn batch_norm_60x100(bencher: Bencher, version: Version) {
    normalization(bencher, version, &[60, 100], Axes::Batch);
}

#[divan::bench(args = VERSIONS, sample_count = 10)]
fn batch_norm_32x64x32x32(bencher: Bencher, version: Version) {
    normalization(bencher, version, &[32, 64, 32, 32], Axes::Batch);
}

#[divan::bench(args = VERSIONS, sample_count = 10)]
fn group_norm_32x64x32x32(bencher: Bencher, version: Version) {
    normalization(bencher, version, &[32, 64, 32, 32], Axes::Groups(8));
}

#[divan::bench(args = VERSIONS)]
fn max_pool2d_32x16x28x28(bencher: Bencher, version: Version) {
    let x = variable(&[32, 16, 28, 28]);
    time(bencher, || match version {
        Fused => max_pool2d_fused(&x, 2),
        Composed => max_pool2d_composed(&x, 2),
    });
}

#[divan::bench(args = VERSIONS)]
fn avg_pool2d_32x16x28x28(bencher: Bencher, version: Version) {
    let x = variable(&[32, 16, 28, 28]);
    time(bencher, || match version {
        Fused => avg_pool2d_fused(&x, 2),
        Composed => avg_pool2d_composed(&x, 2),
    });
}

#[divan::bench(args = VERSIONS)]
fn relu_32x16x28x28(bencher: Bencher, version: Version) {
    let x = variable(&[32, 16, 28, 28]);
    time(bencher, || match version {
        Fused => relu_fused(&x),
        Composed => relu_composed(&x),
    });
}

#[divan::bench(args = VERSIONS)]
fn sigmoid_60x100(bencher: Bencher, version: Version) {
    let x = variable(&[60, 100]);
    time(bencher, || match version {
        Fused => sigmoid_fused(&x),
        Composed => sigmoid_composed(&x),
    });
}

#[divan::bench(args = VERSIONS)]
fn cross_entropy_128x10(bencher: Bencher, version: Version) {
    let logits = variable(&[128, 10]);
    let classes = Tensor::from_iter((0..128u32).map(|example| example % 10), &Device::Cpu).expect("classes");
    time(bencher, || match version {
        Fused => cross_entropy_fused(&logits, &classes),
        Composed => cross_entropy_composed(&logits, &classes),
    });
}

/// A step of gradient descent with momentum on a weight of 784 × 100.
#[divan::bench(args = VERSIONS)]
fn sgd_784x100(bencher: Bencher, version: Version) {
    let (weight, gradient, velocity) = (variable(&[100, 784]), variable(&[100, 784]), variable(&[100, 784]));
    let constants = sgd::Step { learning_rate: 1e-3, momentum: 0.9, weight_decay: 1e-4 };
    bencher.bench(|| {
        let step = match version {
            Fused => sgd::step_fused,
            Composed => sgd::step_composed,
        };
        step(&weight, &gradient, Some(&velocity), constants).expect("the shapes fit");
    });
}

/// What candle's gradient store adds to each of the above: it fills the gradient with zeros and adds to it.
#[divan::bench(args = [[60, 100, 1, 1], [32, 16, 28, 28], [32, 64, 32, 32]])]
fn gradient_store(bencher: Bencher, dims: [usize; 4]) {
    let gradient = Tensor::ones(&dims, DType::F32, &Device::Cpu).expect("valid dimensions");
    bencher.bench(|| gradient.zeros_like().and_then(|zeros| zeros.add(&gradient)).expect("the shapes fit"));
}
