//! A training holds no more memory the longer it lasts.

use candle_core::Device;
use cap::Cap;
use normbook::data::{dataset::Dataset, fashion_mnist::Files};
use normbook::net::convolutional::Stage::{Convolution, Pool};
use normbook::norm::NormKind;
use normbook::train::classifier::{Architecture, Classifier, TrainOptions};
use normbook::train::optimizer::OptimizerKind;
use normbook_lab::seed::Seed;
use normbook_lab::trial::{Outcome, RunContext};
use std::alloc::System;
use std::process::Command;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const STEPS: u64 = 12_000;
/// When everything that is made once has been made.
const SETTLED: u64 = 2_000;
/// What curves may take for their points, in bytes.
const NOTED: usize = 4_096;

/// In a process of its own: other tests use memory, too.
#[test]
fn memory_does_not_grow_in_ten_thousand_steps() {
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", "memory::bytes_in_use_when_settled_and_at_the_end", "--ignored", "--test-threads=1"]);
    let output = alone.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "the test above runs it in a process of its own"]
fn bytes_in_use_when_settled_and_at_the_end() {
    let data = Dataset::new(&Files::embedded()).unwrap();
    let mlp = || Architecture::Mlp(vec![8, 8]);
    let cnn = || Architecture::Convolutional(&[Convolution(2), Pool]);
    let nets = [
        ("none", mlp(), OptimizerKind::Sgd),
        ("batch", mlp(), OptimizerKind::Adam),
        ("renorm", mlp(), OptimizerKind::Sgd),
        ("spectral", mlp(), OptimizerKind::SpectralPenalty(0.1)),
        ("batch", cnn(), OptimizerKind::Clipped(0.1)),
    ];
    for (norm, architecture, rule) in nets {
        let kind: NormKind = norm.parse().unwrap();
        let training = Classifier { rule, ..Classifier::sgd(&data, architecture, kind, 0.01, 4, STEPS) };
        let mut seen = (0, 0);
        let context = &RunContext::alone(Seed(0), &Device::Cpu);
        let look = |seen: &mut (usize, usize), step| match step {
            SETTLED => seen.0 = ALLOCATOR.allocated(),
            STEPS => seen.1 = ALLOCATOR.allocated(),
            _ => {}
        };
        let watched = training.train(TrainOptions::default(), context, &mut seen, |seen, snapshot, _| {
            look(seen, snapshot.step);
            Ok(())
        });
        let (settled, end) = seen;
        let finished = watched.unwrap().outcome == Outcome::Finished;
        assert!(finished, "{norm}, {rule:?}: it diverged before its end");
        assert!(end <= settled + NOTED, "{norm}, {rule:?}: {settled} bytes at step {SETTLED}, {end} at {STEPS}");
    }
}
