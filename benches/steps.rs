//! One training step of each of the book's nets on one thread: `cargo bench --bench steps`.
//! `versus_pytorch.py` compares the same steps with PyTorch's.

#[allow(dead_code)]
#[path = "versus/measure.rs"]
mod measure;
#[path = "shared/one_thread.rs"]
mod one_thread;
#[allow(dead_code)]
#[path = "versus/work.rs"]
mod work;

use divan::Bencher;
use measure::Trial;
use normbook::norm::NormKind;
use std::process::ExitCode;
use work::{Architecture, Work};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    one_thread::main()
}

const NORMS: [NormKind; 3] = [NormKind::None, NormKind::BATCH, NormKind::Group(5)];
const NORMS_OF_IMAGES: [NormKind; 3] = [NormKind::None, NormKind::BATCH, NormKind::Group(8)];

fn step(bencher: Bencher, net: Architecture, norm: NormKind, batch: usize) {
    let mut trial = Trial::new(Work { net, norm, batch }, 1, 1e-3).expect("the net can be built");
    bencher.bench_local(|| trial.run(1).expect("a step can be taken"));
}

#[divan::bench(args = NORMS)]
fn mlp_batch_60(bencher: Bencher, norm: NormKind) {
    step(bencher, Architecture::Mlp, norm, 60);
}

#[divan::bench(args = NORMS)]
fn deep_mlp_batch_60(bencher: Bencher, norm: NormKind) {
    step(bencher, Architecture::DeepMlp, norm, 60);
}

#[divan::bench(args = NORMS)]
fn deep_linear_batch_1000(bencher: Bencher, norm: NormKind) {
    step(bencher, Architecture::DeepLinear, norm, 1000);
}

#[divan::bench(args = NORMS_OF_IMAGES, sample_count = 10)]
fn cnn_batch_128(bencher: Bencher, norm: NormKind) {
    step(bencher, Architecture::Cnn, norm, 128);
}

#[divan::bench(args = NORMS_OF_IMAGES)]
fn cnn_batch_4(bencher: Bencher, norm: NormKind) {
    step(bencher, Architecture::Cnn, norm, 4);
}

#[divan::bench(args = NORMS_OF_IMAGES, sample_count = 3)]
fn vgg_a_batch_32(bencher: Bencher, norm: NormKind) {
    step(bencher, Architecture::Vgg, norm, 32);
}
