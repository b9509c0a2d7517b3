//! Inputs for the tests of A5: networks, batches, and step lengths.

use crate::{
    rng::Rng,
    test_inputs::{Call, TestInputs, within},
    wire::Value,
};

const TOLERANCE: f64 = 1e-8;
/// For what must not change.
const EXACT: f64 = 0.0;

pub fn tests(rng: &mut Rng) -> Vec<TestInputs> {
    let mut tests = at_a_point(rng);
    tests.extend(along_the_gradient(rng));
    tests.extend(over_a_training(rng));
    tests
}

fn at_a_point(rng: &mut Rng) -> Vec<TestInputs> {
    let size = 3 + rng.below(6);
    let (a, b) = (rng.normals(&[size], 2.0, 1.0), rng.normals(&[size], 2.0, -1.0));
    vec![
        TestInputs {
            name: "length_and_distance",
            points: 10,
            asks: "length() of a vector and distance() of two",
            hint: "The distance is the length of the difference, not the difference of the lengths.",
            expects: within(TOLERANCE),
            calls: vec![
                Call { function: "length", arguments: vec![a.clone()] },
                Call { function: "distance", arguments: vec![a, b] },
            ],
        },
        TestInputs {
            name: "quiet_slope",
            points: 15,
            asks: "quiet_slope(), called twice: loss and gradient each time",
            hint: "Dropout takes numbers from the stream. The second look has to see the same ones.",
            expects: within(TOLERANCE),
            calls: vec![at(rng, "quiet_slope", &[])],
        },
        TestInputs {
            name: "quiet_slope_leaves_no_trace",
            points: 10,
            asks: "quiet_slope(), bit for bit: parameters, running statistics and stream afterwards",
            hint: "Read in net.rs which fields Net::slope changes.",
            expects: within(EXACT),
            calls: vec![at(rng, "state_after_quiet_slope", &[])],
        },
    ]
}

fn along_the_gradient(rng: &mut Rng) -> Vec<TestInputs> {
    let distances = distances(rng);
    // In the drawn order and reversed, so the extremes are not both at the same end in both calls.
    let measured = |rng: &mut Rng, function: &'static str| {
        let walk: Vec<Value> = (0..3).map(|_| positive(rng, 5)).collect();
        let back = walk.iter().map(|seen| Value::vector(seen.values.iter().rev().copied().collect())).collect();
        vec![Call { function, arguments: walk }, Call { function, arguments: back }]
    };
    vec![
        TestInputs {
            name: "walk_loss",
            points: 10,
            asks: "walk(): the loss at W − η′ g for each η′",
            hint: "Every η′ is measured from W, down the gradient, with the dropout of the first look.",
            expects: within(TOLERANCE),
            calls: vec![at(rng, "walk_loss", &distances)],
        },
        TestInputs {
            name: "walk_change",
            points: 10,
            asks: "walk(): ‖g′ − g‖ for each η′",
            hint: "For η′ near 0 it is near 0. If not, g and g′ are of different functions: other dropout?",
            expects: within(TOLERANCE),
            calls: vec![at(rng, "walk_change", &distances)],
        },
        TestInputs {
            name: "walk_beta",
            points: 10,
            asks: "walk(): ‖g′ − g‖ / ‖η′ g‖ for each η′",
            hint: "Divide by how far the walk went: η′ times the length of g.",
            expects: within(TOLERANCE),
            calls: vec![at(rng, "walk_beta", &distances)],
        },
        TestInputs {
            name: "walk_leaves_no_trace",
            points: 10,
            asks: "walk(), bit for bit: parameters, running statistics and stream afterwards",
            hint: "To add η′ g again does not give W back: floating-point sums round. Keep a copy.",
            expects: within(EXACT),
            // Several networks, because on one the sums may happen to be exact.
            calls: (0..4).map(|_| at(rng, "state_after_walk", &distances)).collect(),
        },
        TestInputs {
            name: "ranges",
            points: 5,
            asks: "loss_range() and change_range(): smallest and largest of a walk",
            hint: "Both ends, of what the walk has seen.",
            expects: within(TOLERANCE),
            calls: measured(rng, "ranges"),
        },
        TestInputs {
            name: "effective_beta",
            points: 5,
            asks: "effective_beta() of a walk",
            hint: "One number for the whole walk: how bad it gets, not how bad it is on average.",
            expects: within(TOLERANCE),
            calls: measured(rng, "effective_beta"),
        },
    ]
}

fn over_a_training(rng: &mut Rng) -> Vec<TestInputs> {
    let multiples = [0.5, 1.0, 2.0, rng.uniform(3.0, 4.0)];
    vec![
        TestInputs {
            name: "train_walks",
            points: 8,
            asks: "train(): the losses, the changes and β, a row for each step",
            hint: "At each step: draw, walk, slope, step, in this order, and η′ is a multiple of the rate.",
            expects: within(TOLERANCE),
            calls: vec![training(rng, "train", &multiples)],
        },
        TestInputs {
            name: "train_is_not_disturbed",
            points: 7,
            asks: "train(), bit for bit: where the net ends, less where train_unmeasured() takes it",
            hint: "The step's own slope is the one that leaves its trace, once for each step.",
            expects: within(EXACT),
            calls: (0..3).map(|_| training(rng, "disturbance", &multiples)).collect(),
        },
    ]
}

/// Draws a call with a network, a batch and, if there are any, distances.
fn at(rng: &mut Rng, function: &'static str, distances: &[f64]) -> Call {
    let (inputs, units, examples) = (2 + rng.below(3), 3 + rng.below(4), 5 + rng.below(5));
    let mut arguments = network(rng, inputs, units);
    arguments.extend([rng.normals(&[examples, inputs], 1.0, 0.5), rng.normals(&[examples], 1.0, 0.0)]);
    if !distances.is_empty() {
        arguments.push(Value::vector(distances.to_vec()));
    }
    Call { function, arguments }
}

/// Draws a call with a network, data, `[batch size, learning rate, steps]` and the multiples of the learning rate.
fn training(rng: &mut Rng, function: &'static str, multiples: &[f64]) -> Call {
    let (inputs, units, examples) = (2 + rng.below(3), 3 + rng.below(4), 24 + rng.below(9));
    let mut arguments = network(rng, inputs, units);
    arguments.extend([rng.normals(&[examples, inputs], 1.0, 0.5), rng.normals(&[examples], 1.0, 0.0)]);
    let how = [(6 + rng.below(4)) as f64, rng.uniform(0.05, 0.2), (4 + rng.below(3)) as f64];
    arguments.extend([Value::vector(how.into()), Value::vector(multiples.to_vec())]);
    Call { function, arguments }
}

/// Draws a network: parameters W, γ, β, v; running mean and variance; momentum, dropout rate and state of the
/// generator.
fn network(rng: &mut Rng, inputs: usize, units: usize) -> Vec<Value> {
    let parts = [
        rng.normals(&[inputs * units], 1.0, 0.0),
        rng.normals(&[units], 0.2, 1.0),
        rng.normals(&[units], 0.3, 0.0),
        rng.normals(&[units], 1.0, 0.0),
    ];
    let parameters: Vec<f64> = parts.into_iter().flat_map(|part| part.values).collect();
    let rest = [rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.5), rng.below(1 << 30) as f64];
    vec![Value::vector(parameters), rng.normals(&[units], 0.5, 0.0), positive(rng, units), Value::vector(rest.into())]
}

fn positive(rng: &mut Rng, count: usize) -> Value {
    Value::vector((0..count).map(|_| rng.uniform(0.5, 2.0)).collect())
}

/// Draws a learning rate and gives η′ from half of it to four times it, as in the paper, unsorted.
fn distances(rng: &mut Rng) -> [f64; 4] {
    let rate = rng.uniform(0.05, 0.2);
    [rate, 4.0 * rate, 0.5 * rate, 2.0 * rate]
}
