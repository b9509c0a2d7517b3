//! Times of each operation, forward and backward, fused and composed, on one thread:
//! `cargo bench --bench ops`, or with part of a name after it.

#[path = "shared/one_thread.rs"]
mod one_thread;

use candle_core::{DType, Device, Result, Tensor, Var};
use divan::Bencher;
use normbook_lab::seed::{Purpose, Seed};
use normbook_ops::activation::{relu_composed, relu_fused, sigmoid_composed, sigmoid_fused};
use normbook_ops::block::BlockInput;
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

/// The two implementations of an operation.
#[derive(Clone, Copy, Debug)]
enum Implementation {
    Fused,
    Composed,
}

use Implementation::{Composed, Fused};

const IMPLEMENTATIONS: [Implementation; 2] = [Fused, Composed];

fn variable(dims: &[usize]) -> Var {
    let values = Seed(0).stream(Purpose::Noise, 0).normal_tensor(dims, 1.0, &Device::Cpu).expect("valid dimensions");
    Var::from_tensor(&values).expect("a tensor on the CPU")
}

fn time(bencher: Bencher, operation: impl Fn() -> Result<Tensor> + Sync) {
    bencher.bench(|| operation().and_then(|output| output.backward()).expect("the shapes fit"));
}

#[divan::bench(args = IMPLEMENTATIONS)]
fn linear_60x784_to_100(bencher: Bencher, implementation: Implementation) {
    let (x, w, b) = (variable(&[60, 784]), variable(&[100, 784]), variable(&[100]));
    time(bencher, || match implementation {
        Fused => linear_fused(&x, &w, &b),
        Composed => linear_composed(&x, &w, &b),
    });
}

/// Times a convolution 3 × 3 with padding 1 on 32 images.
fn convolution(bencher: Bencher, implementation: Implementation, [inputs, outputs, side]: [usize; 3]) {
    let (x, w) = (variable(&[32, inputs, side, side]), variable(&[outputs, inputs, 3, 3]));
    let (b, windows) = (variable(&[outputs]), Windows { stride: 1, padding: 1 });
    time(bencher, || match implementation {
        Fused => conv2d_fused(&x, &w, &b, windows),
        Composed => conv2d_composed(&x, &w, &b, windows),
    });
}

#[divan::bench(args = IMPLEMENTATIONS)]
fn conv2d_16_to_32_on_14x14(bencher: Bencher, implementation: Implementation) {
    convolution(bencher, implementation, [16, 32, 14]);
}

#[divan::bench(args = IMPLEMENTATIONS, sample_count = 10)]
fn conv2d_64_to_128_on_16x16(bencher: Bencher, implementation: Implementation) {
    convolution(bencher, implementation, [64, 128, 16]);
}

/// The fused implementation uses Winograd's filtering.
#[divan::bench(args = IMPLEMENTATIONS, sample_count = 10)]
fn conv2d_256_to_256_on_8x8(bencher: Bencher, implementation: Implementation) {
    convolution(bencher, implementation, [256, 256, 8]);
}

/// Convolution, batch normalization, max pooling and ReLU.
#[divan::bench(args = IMPLEMENTATIONS, sample_count = 10)]
fn block_16_to_32_on_14x14(bencher: Bencher, implementation: Implementation) {
    let (x, w) = (variable(&[32, 16, 14, 14]), variable(&[32, 16, 3, 3]));
    let [conv_bias, weight, bias] = [0; 3].map(|_| variable(&[32]));
    let windows = Windows { stride: 1, padding: 1 };
    let config = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: 1e-5 };
    time(bencher, || match implementation {
        Fused => {
            let input = BlockInput::Convolution { input: &x, weight: &w, bias: &conv_bias, windows };
            Ok(input.normalize(&weight, &bias, config, Epilogue { window: 2, relu: true })?.output)
        }
        Composed => {
            let convolved = conv2d_composed(&x, &w, &conv_bias, windows)?;
            let normalized = normalize_composed(&convolved, &weight, &bias, config)?.output;
            relu_composed(&max_pool2d_composed(&normalized, 2)?)
        }
    });
}

/// Times a normalization of `dims`.
fn normalization(bencher: Bencher, implementation: Implementation, dims: &[usize], axes: Axes) {
    let (x, weight, bias) = (variable(dims), variable(&dims[1..2]), variable(&dims[1..2]));
    let config = Normalization { axes, scale: ScaleStatistic::StandardDeviation, epsilon: 1e-5 };
    time(bencher, || match implementation {
        Fused => Ok(normalize_fused(&x, &weight, &bias, config)?.output),
        Composed => Ok(normalize_composed(&x, &weight, &bias, config)?.output),
    });
}

#[divan::bench(args = IMPLEMENTATIONS)]
fn batch_norm_60x100(bencher: Bencher, implementation: Implementation) {
    normalization(bencher, implementation, &[60, 100], Axes::Batch);
}

#[divan::bench(args = IMPLEMENTATIONS, sample_count = 10)]
fn batch_norm_32x64x32x32(bencher: Bencher, implementation: Implementation) {
    normalization(bencher, implementation, &[32, 64, 32, 32], Axes::Batch);
}

#[divan::bench(args = IMPLEMENTATIONS, sample_count = 10)]
fn group_norm_32x64x32x32(bencher: Bencher, implementation: Implementation) {
    normalization(bencher, implementation, &[32, 64, 32, 32], Axes::Groups(8));
}

#[divan::bench(args = IMPLEMENTATIONS)]
fn max_pool2d_32x16x28x28(bencher: Bencher, implementation: Implementation) {
    let x = variable(&[32, 16, 28, 28]);
    time(bencher, || match implementation {
        Fused => max_pool2d_fused(&x, 2),
        Composed => max_pool2d_composed(&x, 2),
    });
}

#[divan::bench(args = IMPLEMENTATIONS)]
fn avg_pool2d_32x16x28x28(bencher: Bencher, implementation: Implementation) {
    let x = variable(&[32, 16, 28, 28]);
    time(bencher, || match implementation {
        Fused => avg_pool2d_fused(&x, 2),
        Composed => avg_pool2d_composed(&x, 2),
    });
}

#[divan::bench(args = IMPLEMENTATIONS)]
fn relu_32x16x28x28(bencher: Bencher, implementation: Implementation) {
    let x = variable(&[32, 16, 28, 28]);
    time(bencher, || match implementation {
        Fused => relu_fused(&x),
        Composed => relu_composed(&x),
    });
}

#[divan::bench(args = IMPLEMENTATIONS)]
fn sigmoid_60x100(bencher: Bencher, implementation: Implementation) {
    let x = variable(&[60, 100]);
    time(bencher, || match implementation {
        Fused => sigmoid_fused(&x),
        Composed => sigmoid_composed(&x),
    });
}

#[divan::bench(args = IMPLEMENTATIONS)]
fn cross_entropy_128x10(bencher: Bencher, implementation: Implementation) {
    let logits = variable(&[128, 10]);
    let classes = Tensor::from_iter((0..128u32).map(|example| example % 10), &Device::Cpu).expect("classes");
    time(bencher, || match implementation {
        Fused => cross_entropy_fused(&logits, &classes),
        Composed => cross_entropy_composed(&logits, &classes),
    });
}

/// A step of gradient descent with momentum on a weight of 784 × 100.
#[divan::bench(args = IMPLEMENTATIONS)]
fn sgd_784x100(bencher: Bencher, implementation: Implementation) {
    let (weight, gradient, velocity) = (variable(&[100, 784]), variable(&[100, 784]), variable(&[100, 784]));
    let hyperparameters = sgd::Hyperparameters { learning_rate: 1e-3, momentum: 0.9, weight_decay: 1e-4 };
    bencher.bench(|| {
        let step = match implementation {
            Fused => sgd::step_fused,
            Composed => sgd::step_composed,
        };
        step(&weight, &gradient, Some(&velocity), hyperparameters).expect("the shapes fit");
    });
}

/// The cost that candle's gradient store adds to each operation: it fills the gradient with zeros and adds to it.
#[divan::bench(args = [[60, 100, 1, 1], [32, 16, 28, 28], [32, 64, 32, 32]])]
fn gradient_store(bencher: Bencher, dims: [usize; 4]) {
    let gradient = Tensor::ones(&dims, DType::F32, &Device::Cpu).expect("valid dimensions");
    bencher.bench(|| gradient.zeros_like().and_then(|zeros| zeros.add(&gradient)).expect("the shapes fit"));
}
