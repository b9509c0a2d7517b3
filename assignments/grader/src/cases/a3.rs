//! Inputs for the tests of A3: the batches and the modes of each network.

use crate::{
    rng::Rng,
    test_inputs::{Call, TestInputs, within},
    wire::Value,
};

const EVALUATION: f64 = 0.0;
const TRAINING: f64 = 1.0;
const PROBE: f64 = 2.0;
const TOLERANCE: f64 = 1e-9;

pub fn tests(rng: &mut Rng) -> Vec<TestInputs> {
    [net1(rng), net2(rng), net3(rng), net4(rng), net5(rng)].into_iter().flatten().collect()
}

fn net1(rng: &mut Rng) -> Vec<TestInputs> {
    let call = |rng: &mut Rng, modes: &[f64]| {
        let (inputs, units) = (2 + rng.below(3), 3 + rng.below(3));
        let mut arguments = hidden(rng, inputs, units);
        arguments.push(Value::scalar(rng.uniform(0.05, 0.3)));
        with_batches(rng, "net1", arguments, modes, inputs)
    };
    vec![
        TestInputs {
            name: "net1_training",
            points: 8,
            asks: "net 1 in three training batches: answers and running statistics",
            hint: "Print the running mean before and after a batch. Which vector does follow() change?",
            expects: within(TOLERANCE),
            calls: vec![call(rng, &[TRAINING; 3])],
        },
        TestInputs {
            name: "net1_evaluation",
            points: 12,
            asks: "net 1 in evaluation after eight batches: answers and running statistics",
            hint: "Evaluation itself reads the right fields. Ask what they hold by then.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, &modes(8, 2))],
        },
    ]
}

fn net2(rng: &mut Rng) -> Vec<TestInputs> {
    let call = |rng: &mut Rng, modes: &[f64], sizes: &[usize]| {
        let (inputs, first, second) = (2 + rng.below(3), 3 + rng.below(2), 2 + rng.below(3));
        let mut arguments = vec![
            rng.normals(&[inputs, first], 1.0, 0.0),
            rng.normals(&[first, second], 1.0, 0.0),
            rng.normals(&[2, first], 0.4, 0.8),
            rng.normals(&[2, second], 0.4, 0.8),
            rng.normals(&[second], 1.0, 0.0),
            Value::scalar(rng.uniform(0.1, 0.3)),
            Value::vector(modes.to_vec()),
        ];
        arguments.extend(sizes.iter().map(|size| batch(rng, *size, inputs)));
        Call { function: "net2", arguments }
    };
    vec![
        TestInputs {
            name: "net2_evaluation",
            points: 8,
            asks: "net 2 in evaluation after five batches: answers and both layers' running statistics",
            hint: "In evaluation mode no running statistic may move. Compare the two layers.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, &modes(5, 1), &[6, 5, 6, 7, 6, 4])],
        },
        TestInputs {
            name: "net2_alone",
            points: 8,
            asks: "net 2 in evaluation, one example at a time: answers and both layers' running statistics",
            hint: "An example alone has its own value as its mean. Which layer still subtracts it?",
            expects: within(TOLERANCE),
            calls: vec![call(rng, &modes(4, 3), &[5, 6, 5, 6, 1, 1, 1])],
        },
        TestInputs {
            name: "net2_on_and_off",
            points: 4,
            asks: "net 2 in training and evaluation by turns: answers and both layers' running statistics",
            hint: "set_training() is called before each batch, with true as well as with false.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, &[1.0, 0.0, 1.0, 0.0, 1.0], &[5, 4, 6, 5, 5])],
        },
    ]
}

fn net3(rng: &mut Rng) -> Vec<TestInputs> {
    let call = |rng: &mut Rng, p: f64, modes: &[f64]| {
        let features = 2 + rng.below(4);
        let arguments = vec![
            rng.normals(&[features], 0.3, 1.0),
            rng.normals(&[features], 0.3, 0.0),
            rng.normals(&[features], 1.0, 0.0),
            Value::scalar(rng.uniform(-1.0, 1.0)),
            Value::scalar(p),
        ];
        with_batches(rng, "net3", arguments, modes, features)
    };
    let (long, medium) = (rng.uniform(0.9, 0.99), rng.uniform(0.7, 0.9));
    vec![
        TestInputs {
            name: "net3_memory",
            points: 8,
            asks: "net 3 with a long memory, in six training batches: answers and running statistics",
            hint: "Take p = 1 in your head: how far may the running mean then move?",
            expects: within(TOLERANCE),
            calls: vec![call(rng, long, &[TRAINING; 6])],
        },
        TestInputs {
            name: "net3_evaluation",
            points: 8,
            asks: "net 3 with a shorter memory, in evaluation after ten batches: answers and running statistics",
            hint: "The documentation says which of the two values p weighs. PyTorch's momentum weighs the other.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, medium, &modes(10, 1))],
        },
        TestInputs {
            name: "net3_no_memory",
            points: 4,
            asks: "net 3 with p = 0, in evaluation after three batches: answers and running statistics",
            hint: "With p = 0 nothing is remembered but the last batch.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, 0.0, &modes(3, 1))],
        },
    ]
}

fn net4(rng: &mut Rng) -> Vec<TestInputs> {
    let call = |rng: &mut Rng, modes: &[f64]| {
        let (inputs, units) = (2 + rng.below(3), 3 + rng.below(3));
        let mut arguments = hidden(rng, inputs, units);
        arguments.push(Value::vector(modes.to_vec()));
        for _ in modes {
            let size = 4 + rng.below(4);
            arguments.extend([batch(rng, size, inputs), rng.normals(&[size], 1.0, 0.0)]);
        }
        Call { function: "net4", arguments }
    };
    vec![
        TestInputs {
            name: "net4_loss",
            points: 6,
            asks: "net 4, a look after two batches: answers, loss, averages and the number of batches",
            hint: "The probe's number is right. What else does it do on the way?",
            expects: within(TOLERANCE),
            calls: vec![call(rng, &[TRAINING, TRAINING, PROBE])],
        },
        TestInputs {
            name: "net4_between",
            points: 8,
            asks: "net 4, looks between training batches, then evaluation: the same",
            hint: "Three fields change in training mode. After a probe all three have to be what they were.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, &[TRAINING, PROBE, TRAINING, PROBE, PROBE, TRAINING, EVALUATION])],
        },
        TestInputs {
            name: "net4_before",
            points: 6,
            asks: "net 4, two looks at a new net, then training and evaluation: the same",
            hint: "The first training batch replaces mean 0 and variance 1, however often somebody looked before.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, &[PROBE, PROBE, TRAINING, TRAINING, EVALUATION])],
        },
    ]
}

fn net5(rng: &mut Rng) -> Vec<TestInputs> {
    let call = |rng: &mut Rng, size: usize, examples: usize| {
        let (inputs, units) = (2 + rng.below(3), 3 + rng.below(3));
        let mut arguments = hidden(rng, inputs, units);
        arguments.extend([Value::scalar(rng.uniform(0.1, 0.4)), Value::scalar(size as f64)]);
        arguments.extend([batch(rng, examples, inputs), batch(rng, 4, inputs)]);
        Call { function: "net5", arguments }
    };
    let (size, full) = (3 + rng.below(3), 3 + rng.below(2));
    vec![
        TestInputs {
            name: "net5_unbiased",
            points: 8,
            asks: "net 5, an epoch of full batches, then evaluation: answers and running statistics",
            hint: "Two variances: one normalizes the batch, the other is remembered. Algorithm 2, line 10.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, size, size * full)],
        },
        TestInputs {
            name: "net5_pairs",
            points: 4,
            asks: "net 5, an epoch in pairs and one with an odd batch of three, then evaluation: the same",
            hint: "m is the number of rows of this batch, not of the usual one.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, 2, 8), call(rng, size + 1, 2 * (size + 1) + 3)],
        },
        TestInputs {
            name: "net5_odd_batch",
            points: 8,
            asks: "net 5, an epoch whose last batch has one example, then evaluation: the same",
            hint: "What is m/(m − 1) for a batch of one, and what does the documentation want of such a batch?",
            expects: within(TOLERANCE),
            calls: vec![call(rng, size, size * full + 1)],
        },
    ]
}

/// Draws W, γ, β and v of a network with one hidden layer.
fn hidden(rng: &mut Rng, inputs: usize, units: usize) -> Vec<Value> {
    vec![
        rng.normals(&[inputs, units], 1.0, 0.0),
        rng.normals(&[units], 0.3, 1.0),
        rng.normals(&[units], 0.3, 0.2),
        rng.normals(&[units], 1.0, 0.0),
    ]
}

fn with_batches(
    rng: &mut Rng,
    function: &'static str,
    mut arguments: Vec<Value>,
    modes: &[f64],
    columns: usize,
) -> Call {
    arguments.push(Value::vector(modes.to_vec()));
    for _ in modes {
        let size = 4 + rng.below(5);
        arguments.push(batch(rng, size, columns));
    }
    Call { function, arguments }
}

/// Draws a batch with a mean and a standard deviation of its own, so the running statistics show which batches they
/// saw.
fn batch(rng: &mut Rng, rows: usize, columns: usize) -> Value {
    let (scale, shift) = (rng.uniform(0.5, 2.0), rng.uniform(-2.0, 2.0));
    rng.normals(&[rows, columns], scale, shift)
}

fn modes(training: usize, evaluation: usize) -> Vec<f64> {
    [vec![TRAINING; training], vec![EVALUATION; evaluation]].concat()
}
