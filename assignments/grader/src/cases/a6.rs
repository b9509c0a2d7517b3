//! Inputs for the tests of A6: activations behind linear maps and behind convolutions, and how long a row of the table trains.

use crate::{
    draw::Draw,
    law::Law,
    test::{Call, Expects, Test},
    value::Value,
};

/// Half of a central difference.
const STEP: f64 = 1e-4;
/// Steps of the CNN; chapter 16 takes 2 at the smoke scale and 200 at the book scale.
const STEPS: f64 = 40.0;

pub fn tests(draw: &mut Draw) -> Vec<Test> {
    let mut tests = outputs(draw);
    tests.extend(gradients(draw));
    tests.extend(evaluation(draw));
    tests.push(row(draw));
    tests
}

fn outputs(draw: &mut Draw) -> Vec<Test> {
    let train = |x: Value| Call { function: "train", arguments: vec![x] };
    let (vector, maps) = (vector(draw), maps(draw));
    let shapes = [&vector[..], &maps, &[1, 6], &[1, 6, 2, 2], &[3, 6, 1, 1], &[2, 1, 3, 3]];
    let constant =
        |value: f64, shape: &[usize]| train(Value { shape: shape.into(), values: vec![value; shape.iter().product()] });
    let x = draw.normals(&maps, 1.0, 0.3);
    let large = Value { values: x.values.iter().map(|x| 100.0 * x).collect(), ..x.clone() };
    vec![
        Test {
            name: "keeps_the_shape",
            points: 15,
            asks: "a training step on vectors, maps, a single example, maps of one pixel, one channel: same shape, finite",
            hint: "Do not count on four axes. Statistics over dimensions 1 to the last: flatten_from(1).",
            expects: Expects::Law(Law::Shape),
            calls: shapes.iter().map(|shape| train(draw.normals(shape, 2.0, 1.0))).collect(),
        },
        Test {
            name: "constant_input",
            points: 10,
            asks: "a training step on inputs without any variation: finite",
            hint: "What do you divide by where all values are the same? And where all are 0?",
            expects: Expects::Law(Law::Shape),
            calls: vec![
                constant(0.0, &[4, 6]),
                constant(draw.uniform(-5.0, -1.0), &[4, 6]),
                constant(draw.uniform(1e3, 1e4), &[2, 6, 3, 3]),
            ],
        },
        Test {
            name: "tames_the_size",
            points: 10,
            asks: "a training step on an input and on 100 times as much: less than 10 times as much comes out",
            hint: "This is what makes it a norm: large activations do not stay as large.",
            expects: Expects::Law(Law::Tamed),
            calls: vec![train(x), train(large)],
        },
    ]
}

fn gradients(draw: &mut Draw) -> Vec<Test> {
    let (vector, maps) = (vector(draw), maps(draw));
    let parameters = |draw: &mut Draw| {
        let (u, x) = (draw.normals(&maps, 1.0, 0.0), draw.normals(&maps, 2.0, 1.0));
        let call = |function, t: f64| Call { function, arguments: vec![u.clone(), x.clone(), Value::scalar(t)] };
        vec![call("parameter_slope", 0.0), call("parameter_loss", STEP), call("parameter_loss", -STEP)]
    };
    vec![
        Test {
            name: "gradient",
            points: 15,
            asks: "the gradient of Σ u y by the input [N, C], against central differences",
            hint: "detach() and f64 numbers taken out of a tensor cut the gradient.",
            expects: Expects::Law(Law::Slope),
            calls: along(draw, &vector),
        },
        Test {
            name: "gradient_of_maps",
            points: 10,
            asks: "the gradient of Σ u y by the input [N, C, H, W], against central differences",
            hint: "If it is right for [N, C]: over which axes are your statistics?",
            expects: Expects::Law(Law::Slope),
            calls: along(draw, &maps),
        },
        Test {
            name: "gradient_of_parameters",
            points: 10,
            asks: "the gradient of Σ u y by your parameters, against central differences",
            hint: "Is all that parameters() lists used in forward(), as itself and not as a copy?",
            expects: Expects::Law(Law::Slope),
            calls: parameters(draw),
        },
    ]
}

/// The gradient at a point, and the losses to both sides of it along three directions.
fn along(draw: &mut Draw, shape: &[usize]) -> Vec<Call> {
    let (u, x) = (draw.normals(shape, 1.0, 0.0), draw.normals(shape, 2.0, 1.0));
    let mut calls = vec![Call { function: "slope", arguments: vec![u.clone(), x.clone()] }];
    for _ in 0..3 {
        let direction = draw.normals(shape, STEP, 0.0);
        for sign in [1.0, -1.0] {
            let moved = x.values.iter().zip(&direction.values).map(|(x, d)| x + sign * d).collect();
            let moved = Value { shape: x.shape.clone(), values: moved };
            calls.push(Call { function: "loss", arguments: vec![u.clone(), moved] });
        }
    }
    calls
}

fn evaluation(draw: &mut Draw) -> Vec<Test> {
    let shape = maps(draw);
    let (batch, x) = (draw.normals(&shape, 2.0, 1.0), draw.normals(&shape, 2.0, 1.0));
    let call = |function, x: &Value| Call { function, arguments: vec![batch.clone(), x.clone()] };
    let size = x.values.len() / shape[0];
    let examples = x.values.chunks(size).map(|values| Value { shape: one(&shape), values: values.to_vec() });
    let mut alone = vec![call("evaluate", &x)];
    alone.extend(examples.map(|example| call("evaluate", &example)));
    vec![
        Test {
            name: "evaluation_alone",
            points: 10,
            asks: "evaluation, behind three training steps: of each example alone what it is among others",
            hint: "In evaluation nothing may come from the batch. BatchNorm keeps moving averages for that.",
            expects: Expects::Law(Law::Alone),
            calls: alone,
        },
        Test {
            name: "leaves_no_trace",
            points: 10,
            asks: "evaluation twice, and before and after looks (Mode::Probe): the same, bit for bit",
            hint: "Only a pass with Mode::Train may change the layer. Noise comes from pass.seed and pass.step.",
            expects: Expects::Law(Law::Still),
            calls: vec![call("evaluate_twice", &x), call("evaluate_around_looks", &x)],
        },
    ]
}

fn row(draw: &mut Draw) -> Test {
    let how = Value::vector(vec![STEPS, draw.below(1000) as f64]);
    Test {
        name: "row",
        points: 10,
        asks: "your row of chapter 16's table, in small: all numbers finite, and the MLP has learned something",
        hint: "The nets run in f32. If one diverges: how large can your output be where the input is small?",
        expects: Expects::Law(Law::Table),
        calls: ["yours", "none", "batch", "layer"]
            .map(|function| Call { function, arguments: vec![how.clone()] })
            .into(),
    }
}

fn vector(draw: &mut Draw) -> [usize; 2] {
    [3 + draw.below(4), 4 + draw.below(4)]
}

fn maps(draw: &mut Draw) -> [usize; 4] {
    [2 + draw.below(3), 2 + draw.below(4), 2 + draw.below(2), 3]
}

/// The shape of one example.
fn one(shape: &[usize; 4]) -> Vec<usize> {
    vec![1, shape[1], shape[2], shape[3]]
}
