//! Inputs for the tests of A6: activations after linear layers and after convolutions, and the training steps of a row
//! of the table.

use crate::{
    property::Property,
    rng::Rng,
    test_inputs::{Call, Expectation, TestInputs},
    value::Value,
};

/// Half the width of a central difference.
const STEP: f64 = 1e-4;
/// Training steps of the CNN; chapter 16 takes 2 at the smoke scale and 200 at the book scale.
const STEPS: f64 = 40.0;

pub fn tests(rng: &mut Rng) -> Vec<TestInputs> {
    let mut tests = outputs(rng);
    tests.extend(gradients(rng));
    tests.extend(evaluation(rng));
    tests.push(row(rng));
    tests
}

fn outputs(rng: &mut Rng) -> Vec<TestInputs> {
    let train = |x: Value| Call { function: "train", arguments: vec![x] };
    let (vector, maps) = (vector(rng), maps(rng));
    let shapes = [&vector[..], &maps, &[1, 6], &[1, 6, 2, 2], &[3, 6, 1, 1], &[2, 1, 3, 3]];
    let constant =
        |value: f64, shape: &[usize]| train(Value { shape: shape.into(), values: vec![value; shape.iter().product()] });
    let x = rng.normals(&maps, 1.0, 0.3);
    let large = Value { values: x.values.iter().map(|x| 100.0 * x).collect(), ..x.clone() };
    vec![
        TestInputs {
            name: "keeps_the_shape",
            points: 15,
            asks: "a training step on vectors, maps, a single example, maps of one pixel, one channel: \
                   same shape, finite",
            hint: "Do not count on four axes. Statistics over dimensions 1 to the last: flatten_from(1).",
            expects: Expectation::Property(Property::KeepsShape),
            calls: shapes.iter().map(|shape| train(rng.normals(shape, 2.0, 1.0))).collect(),
        },
        TestInputs {
            name: "constant_input",
            points: 10,
            asks: "a training step on inputs without any variation: finite",
            hint: "What do you divide by where all values are the same? And where all are 0?",
            expects: Expectation::Property(Property::KeepsShape),
            calls: vec![
                constant(0.0, &[4, 6]),
                constant(rng.uniform(-5.0, -1.0), &[4, 6]),
                constant(rng.uniform(1e3, 1e4), &[2, 6, 3, 3]),
            ],
        },
        TestInputs {
            name: "tames_the_size",
            points: 10,
            asks: "a training step on an input and on 100 times as much: less than 10 times as much comes out",
            hint: "This is what makes it a norm: large activations do not stay as large.",
            expects: Expectation::Property(Property::ReducesScale),
            calls: vec![train(x), train(large)],
        },
    ]
}

fn gradients(rng: &mut Rng) -> Vec<TestInputs> {
    let (vector, maps) = (vector(rng), maps(rng));
    let parameters = |rng: &mut Rng| {
        let (u, x) = (rng.normals(&maps, 1.0, 0.0), rng.normals(&maps, 2.0, 1.0));
        let call = |function, t: f64| Call { function, arguments: vec![u.clone(), x.clone(), Value::scalar(t)] };
        vec![call("parameter_slope", 0.0), call("parameter_loss", STEP), call("parameter_loss", -STEP)]
    };
    vec![
        TestInputs {
            name: "gradient",
            points: 15,
            asks: "the gradient of Σ u y by the input [N, C], against central differences",
            hint: "detach() and f64 numbers taken out of a tensor cut the gradient.",
            expects: Expectation::Property(Property::GradientMatchesLoss),
            calls: along(rng, &vector),
        },
        TestInputs {
            name: "gradient_of_maps",
            points: 10,
            asks: "the gradient of Σ u y by the input [N, C, H, W], against central differences",
            hint: "If it is right for [N, C]: over which axes are your statistics?",
            expects: Expectation::Property(Property::GradientMatchesLoss),
            calls: along(rng, &maps),
        },
        TestInputs {
            name: "gradient_of_parameters",
            points: 10,
            asks: "the gradient of Σ u y by your parameters, against central differences",
            hint: "Is all that parameters() lists used in forward(), as itself and not as a copy?",
            expects: Expectation::Property(Property::GradientMatchesLoss),
            calls: parameters(rng),
        },
    ]
}

/// Calls for the gradient at a point, and for the losses on both sides of it along three directions.
fn along(rng: &mut Rng, shape: &[usize]) -> Vec<Call> {
    let (u, x) = (rng.normals(shape, 1.0, 0.0), rng.normals(shape, 2.0, 1.0));
    let mut calls = vec![Call { function: "slope", arguments: vec![u.clone(), x.clone()] }];
    for _ in 0..3 {
        let direction = rng.normals(shape, STEP, 0.0);
        for sign in [1.0, -1.0] {
            let moved = x.values.iter().zip(&direction.values).map(|(x, d)| x + sign * d).collect();
            let moved = Value { shape: x.shape.clone(), values: moved };
            calls.push(Call { function: "loss", arguments: vec![u.clone(), moved] });
        }
    }
    calls
}

fn evaluation(rng: &mut Rng) -> Vec<TestInputs> {
    let shape = maps(rng);
    let (batch, x) = (rng.normals(&shape, 2.0, 1.0), rng.normals(&shape, 2.0, 1.0));
    let call = |function, x: &Value| Call { function, arguments: vec![batch.clone(), x.clone()] };
    let size = x.values.len() / shape[0];
    let examples = x.values.chunks(size).map(|values| Value { shape: one_example(&shape), values: values.to_vec() });
    let mut alone = vec![call("evaluate", &x)];
    alone.extend(examples.map(|example| call("evaluate", &example)));
    vec![
        TestInputs {
            name: "evaluation_alone",
            points: 10,
            asks: "evaluation, behind three training steps: of each example alone what it is among others",
            hint: "In evaluation nothing may come from the batch. BatchNorm keeps moving averages for that.",
            expects: Expectation::Property(Property::IndependentOfBatch),
            calls: alone,
        },
        TestInputs {
            name: "leaves_no_trace",
            points: 10,
            asks: "evaluation twice, and before and after looks (Mode::Probe): the same, bit for bit",
            hint: "Only a pass with Mode::Train may change the layer. Noise comes from pass.seed and pass.step.",
            expects: Expectation::Property(Property::Repeatable),
            calls: vec![call("evaluate_twice", &x), call("evaluate_around_looks", &x)],
        },
    ]
}

fn row(rng: &mut Rng) -> TestInputs {
    let how = Value::vector(vec![STEPS, rng.below(1000) as f64]);
    TestInputs {
        name: "row",
        points: 10,
        asks: "your row of chapter 16's table, in small: all numbers finite, and the MLP has learned something",
        hint: "The nets run in f32. If one diverges: how large can your output be where the input is small?",
        expects: Expectation::Property(Property::TableRow),
        calls: ["yours", "none", "batch", "layer"]
            .map(|function| Call { function, arguments: vec![how.clone()] })
            .into(),
    }
}

fn vector(rng: &mut Rng) -> [usize; 2] {
    [3 + rng.below(4), 4 + rng.below(4)]
}

fn maps(rng: &mut Rng) -> [usize; 4] {
    [2 + rng.below(3), 2 + rng.below(4), 2 + rng.below(2), 3]
}

/// The shape of one example.
fn one_example(shape: &[usize; 4]) -> Vec<usize> {
    vec![1, shape[1], shape[2], shape[3]]
}
