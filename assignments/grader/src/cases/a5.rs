//! Inputs for the tests of A5: nets, batches, and lengths of steps.

use crate::{
    draw::Draw,
    test::{Call, Test, within},
    wire::Value,
};

const TOLERANCE: f64 = 1e-8;
/// Nothing may have moved.
const EXACT: f64 = 0.0;

pub fn tests(draw: &mut Draw) -> Vec<Test> {
    let mut tests = at_a_point(draw);
    tests.extend(along_the_gradient(draw));
    tests.extend(over_a_training(draw));
    tests
}

fn at_a_point(draw: &mut Draw) -> Vec<Test> {
    let size = 3 + draw.below(6);
    let (a, b) = (draw.normals(&[size], 2.0, 1.0), draw.normals(&[size], 2.0, -1.0));
    vec![
        Test {
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
        Test {
            name: "quiet_slope",
            points: 15,
            asks: "quiet_slope(), called twice: loss and gradient each time",
            hint: "Dropout takes numbers from the stream. The second look has to see the same ones.",
            expects: within(TOLERANCE),
            calls: vec![at(draw, "quiet_slope", &[])],
        },
        Test {
            name: "quiet_slope_leaves_no_trace",
            points: 10,
            asks: "quiet_slope(), bit for bit: parameters, running statistics and stream afterwards",
            hint: "Read in net.rs which fields Net::slope changes.",
            expects: within(EXACT),
            calls: vec![at(draw, "state_after_quiet_slope", &[])],
        },
    ]
}

fn along_the_gradient(draw: &mut Draw) -> Vec<Test> {
    let distances = distances(draw);
    // Once in the drawn order and once backwards, so that neither end holds both extremes in both.
    let measured = |draw: &mut Draw, function: &'static str| {
        let walk: Vec<Value> = (0..3).map(|_| positive(draw, 5)).collect();
        let back = walk.iter().map(|seen| Value::vector(seen.values.iter().rev().copied().collect())).collect();
        vec![Call { function, arguments: walk }, Call { function, arguments: back }]
    };
    vec![
        Test {
            name: "walk_loss",
            points: 10,
            asks: "walk(): the loss at W − η′ g for each η′",
            hint: "Every η′ is measured from W, down the gradient, with the dropout of the first look.",
            expects: within(TOLERANCE),
            calls: vec![at(draw, "walk_loss", &distances)],
        },
        Test {
            name: "walk_change",
            points: 10,
            asks: "walk(): ‖g′ − g‖ for each η′",
            hint: "For η′ near 0 it is near 0. If not, g and g′ are of different functions: other dropout?",
            expects: within(TOLERANCE),
            calls: vec![at(draw, "walk_change", &distances)],
        },
        Test {
            name: "walk_beta",
            points: 10,
            asks: "walk(): ‖g′ − g‖ / ‖η′ g‖ for each η′",
            hint: "Divide by how far the walk went: η′ times the length of g.",
            expects: within(TOLERANCE),
            calls: vec![at(draw, "walk_beta", &distances)],
        },
        Test {
            name: "walk_leaves_no_trace",
            points: 10,
            asks: "walk(), bit for bit: parameters, running statistics and stream afterwards",
            hint: "To add η′ g again does not give W back: floating-point sums round. Keep a copy.",
            expects: within(EXACT),
            // Several of them: on one net, sums may happen not to round.
            calls: (0..4).map(|_| at(draw, "state_after_walk", &distances)).collect(),
        },
        Test {
            name: "ranges",
            points: 5,
            asks: "loss_range() and change_range(): smallest and largest of a walk",
            hint: "Both ends, of what the walk has seen.",
            expects: within(TOLERANCE),
            calls: measured(draw, "ranges"),
        },
        Test {
            name: "effective_beta",
            points: 5,
            asks: "effective_beta() of a walk",
            hint: "One number for the whole walk: how bad it gets, not how bad it is on average.",
            expects: within(TOLERANCE),
            calls: measured(draw, "effective_beta"),
        },
    ]
}

fn over_a_training(draw: &mut Draw) -> Vec<Test> {
    let multiples = [0.5, 1.0, 2.0, draw.uniform(3.0, 4.0)];
    vec![
        Test {
            name: "train_walks",
            points: 8,
            asks: "train(): the losses, the changes and β, a row for each step",
            hint: "At each step: draw, walk, slope, step, in this order, and η′ is a multiple of the rate.",
            expects: within(TOLERANCE),
            calls: vec![training(draw, "train", &multiples)],
        },
        Test {
            name: "train_is_not_disturbed",
            points: 7,
            asks: "train(), bit for bit: where the net ends, less where train_unmeasured() takes it",
            hint: "The step's own slope is the one that leaves its trace, once for each step.",
            expects: within(EXACT),
            calls: (0..3).map(|_| training(draw, "disturbance", &multiples)).collect(),
        },
    ]
}

/// A call with a net, a batch and perhaps distances.
fn at(draw: &mut Draw, function: &'static str, distances: &[f64]) -> Call {
    let (inputs, units, examples) = (2 + draw.below(3), 3 + draw.below(4), 5 + draw.below(5));
    let mut arguments = net(draw, inputs, units);
    arguments.extend([draw.normals(&[examples, inputs], 1.0, 0.5), draw.normals(&[examples], 1.0, 0.0)]);
    if !distances.is_empty() {
        arguments.push(Value::vector(distances.to_vec()));
    }
    Call { function, arguments }
}

/// A call with a net, data, `[batch size, rate, steps]` and the multiples of the rate.
fn training(draw: &mut Draw, function: &'static str, multiples: &[f64]) -> Call {
    let (inputs, units, examples) = (2 + draw.below(3), 3 + draw.below(4), 24 + draw.below(9));
    let mut arguments = net(draw, inputs, units);
    arguments.extend([draw.normals(&[examples, inputs], 1.0, 0.5), draw.normals(&[examples], 1.0, 0.0)]);
    let how = [(6 + draw.below(4)) as f64, draw.uniform(0.05, 0.2), (4 + draw.below(3)) as f64];
    arguments.extend([Value::vector(how.into()), Value::vector(multiples.to_vec())]);
    Call { function, arguments }
}

/// Parameters W, γ, β, v; running mean and variance; momentum, dropout and the state of the stream.
fn net(draw: &mut Draw, inputs: usize, units: usize) -> Vec<Value> {
    let parts = [
        draw.normals(&[inputs * units], 1.0, 0.0),
        draw.normals(&[units], 0.2, 1.0),
        draw.normals(&[units], 0.3, 0.0),
        draw.normals(&[units], 1.0, 0.0),
    ];
    let parameters: Vec<f64> = parts.into_iter().flat_map(|part| part.values).collect();
    let rest = [draw.uniform(0.05, 0.3), draw.uniform(0.2, 0.5), draw.below(1 << 30) as f64];
    vec![Value::vector(parameters), draw.normals(&[units], 0.5, 0.0), positive(draw, units), Value::vector(rest.into())]
}

fn positive(draw: &mut Draw, count: usize) -> Value {
    Value::vector((0..count).map(|_| draw.uniform(0.5, 2.0)).collect())
}

/// η′ from the paper's half to four times of a rate, in no order.
fn distances(draw: &mut Draw) -> [f64; 4] {
    let rate = draw.uniform(0.05, 0.2);
    [rate, 4.0 * rate, 0.5 * rate, 2.0 * rate]
}
