//! Inputs for the tests of A2: batches of vectors and of images, layers, and upstream gradients.

use crate::{
    draw::Draw,
    test::{Call, Test, within},
    value::Value,
};

const TOLERANCE: f64 = 1e-9;
/// Of gradients: the least exact of CS231n's checks.
const OF_GRADIENTS: f64 = 1e-8;

pub fn tests(draw: &mut Draw) -> Vec<Test> {
    [statistics(draw), forward(draw), running(draw), backward(draw), images(draw)].into_iter().flatten().collect()
}

fn statistics(draw: &mut Draw) -> Vec<Test> {
    let (n, d) = sizes(draw);
    let of = |x: Value| call("mean_and_variance", vec![x]);
    let of_narrow = |draw: &mut Draw, n: usize| call("mean_and_variance_f32", vec![far_from_zero(draw, n)]);
    vec![
        Test {
            name: "mean_and_variance",
            points: 8,
            asks: "mean_and_variance() of two batches, the second of one example",
            hint: "One mean for each feature. The squares are divided by N.",
            expects: within(TOLERANCE),
            calls: vec![of(draw.normals(&[n, d], 2.0, 1.0)), of(draw.normals(&[1, 3], 2.0, 1.0))],
        },
        Test {
            name: "large_mean_f32",
            points: 8,
            asks: "mean_and_variance_f32() of features with means of tens of thousands and deviations below 6",
            hint: "40000 squared has 10 digits; an f32 has 7 of them. Subtract first, square then.",
            expects: within(1e-3),
            calls: vec![of_narrow(draw, 16), of_narrow(draw, 64)],
        },
    ]
}

/// Four features whose squared means leave no room for a squared deviation in 32 bits.
fn far_from_zero(draw: &mut Draw, n: usize) -> Value {
    let mut feature = || {
        let (centre, deviation) = ((4 + draw.below(4)) * 8192, 1 + draw.below(5));
        draw.around(centre as f64, deviation as f64, n)
    };
    let features: Vec<Vec<f64>> = (0..4).map(|_| feature()).collect();
    Value::matrix(n, 4, (0..n).flat_map(|row| features.iter().map(move |feature| feature[row])).collect())
}

fn forward(draw: &mut Draw) -> Vec<Test> {
    let (n, d) = sizes(draw);
    let on =
        |draw: &mut Draw, epsilon: f64, x: Value| call("forward", [layer(draw, epsilon, x.shape[1]), vec![x]].concat());
    let mut quiet = draw.normals(&[n, d], 0.05, 3.0);
    // A feature that is the same in every example.
    quiet.values.iter_mut().step_by(d).for_each(|value| *value = 3.0);
    let (usual, one) = (draw.normals(&[n, d], 3.0, 1.0), draw.normals(&[1, d], 3.0, 1.0));
    vec![
        Test {
            name: "forward",
            points: 10,
            asks: "forward(): the output, for a batch and for a single example",
            hint: "A single example is its own mean, so that x̂ is 0. γ and β come last, in this order.",
            expects: within(TOLERANCE),
            calls: vec![on(draw, 1e-5, usual), on(draw, 1e-5, one)],
        },
        Test {
            name: "epsilon",
            points: 6,
            asks: "forward() of features whose deviation is so small that ε counts, and of a constant one",
            hint: "Under the root: √(σ² + ε), not √σ² + ε.",
            expects: within(TOLERANCE),
            calls: vec![on(draw, 1e-3, quiet.clone()), on(draw, 0.1, quiet)],
        },
    ]
}

fn running(draw: &mut Draw) -> Vec<Test> {
    let (n, d) = sizes(draw);
    let follow = |draw: &mut Draw, momentum: f64, sizes: &[usize]| {
        let batches = sizes.iter().map(|size| draw.normals(&[*size, d], 2.0, 1.5)).collect();
        call("follow", [vec![Value::scalar(momentum)], batches].concat())
    };
    let evaluate = |draw: &mut Draw, epsilon: f64, n: usize| {
        let [mean, variance] = [draw.normals(&[d], 1.0, 0.0), draw.uniforms(&[d], 0.2, 4.0)];
        let layer = layer(draw, epsilon, d);
        call("evaluate", [layer, vec![mean, variance, draw.normals(&[n, d], 2.0, 1.0)]].concat())
    };
    let momentum = draw.uniform(0.02, 0.3);
    vec![
        Test {
            name: "running_statistics",
            points: 10,
            asks: "follow(): the running mean and variance of a new layer after one batch, and after several",
            hint: "From mean 0, with momentum 0.1, it moves to a tenth of μ. And which variance is remembered?",
            expects: within(TOLERANCE),
            calls: vec![follow(draw, 0.1, &[n]), follow(draw, momentum, &[n, 2, n + 3, n])],
        },
        Test {
            name: "evaluation",
            points: 8,
            asks: "evaluate() with given running statistics, for several examples and for one",
            hint: "Nothing of the batch enters: an example alone gets the same answer as in company.",
            expects: within(TOLERANCE),
            calls: vec![evaluate(draw, 1e-5, n), evaluate(draw, 1e-2, 1)],
        },
    ]
}

fn backward(draw: &mut Draw) -> Vec<Test> {
    let (n, d) = sizes(draw);
    let all = |draw: &mut Draw, function: &'static str, epsilon: f64, x: Value, upstream: Value| {
        call(function, [layer(draw, epsilon, x.shape[1]), vec![x, upstream]].concat())
    };
    let random = |draw: &mut Draw, function: &'static str, shape: [usize; 2], scale: f64, epsilon: f64| {
        let [x, upstream] = [draw.normals(&shape, scale, 12.0), draw.normals(&shape, 1.0, 0.0)];
        all(draw, function, epsilon, x, upstream)
    };
    let x = draw.normals(&[n, d], 2.0, 1.0);
    let constant: Vec<f64> = (0..d).map(|_| draw.normal()).collect();
    let constant = Value::matrix(n, d, constant.repeat(n));
    vec![
        Test {
            name: "backward_parameters",
            points: 8,
            asks: "backward_parameters(): the gradients of γ and β for a random upstream gradient",
            hint: "γ multiplies x̂, so its gradient is upstream times x̂, summed over the examples.",
            expects: within(OF_GRADIENTS),
            calls: vec![
                random(draw, "backward_parameters", [4, 5], 5.0, 1e-5),
                random(draw, "backward_parameters", [n, d], 0.5, 1e-2),
            ],
        },
        Test {
            name: "backward_inputs",
            points: 16,
            asks: "backward_inputs(): the gradient of x for a random upstream gradient",
            hint: "Three ways lead from x to the loss. With one way left out, which of the four lines changes?",
            expects: within(OF_GRADIENTS),
            calls: vec![
                random(draw, "backward_inputs", [4, 5], 5.0, 1e-5),
                random(draw, "backward_inputs", [n, d], 0.5, 1e-2),
                random(draw, "backward_inputs", [n + 5, 2], 1.0, 1e-5),
            ],
        },
        Test {
            name: "backward_invariance",
            points: 4,
            asks: "backward_inputs() of upstream gradients that only shift or stretch a feature: 0",
            hint: "Move all x by as much, or stretch them: y stays, but for ε. So the gradient has no such part.",
            // Zeros, with rounding: 10⁻¹² in absolute numbers.
            expects: within(1e-4),
            calls: vec![
                all(draw, "backward_inputs", 1e-5, x.clone(), constant),
                all(draw, "backward_inputs", 1e-14, x.clone(), x),
            ],
        },
    ]
}

fn images(draw: &mut Draw) -> Vec<Test> {
    let shape = [2 + draw.below(2), 4 + draw.below(2), 2 + draw.below(2), 3];
    let single = [1, 2 + draw.below(3), 3, 2];
    let forward = |draw: &mut Draw, shape: [usize; 4]| {
        call("forward_2d", [layer(draw, 1e-5, shape[1]), vec![draw.normals(&shape, 2.0, 1.0)]].concat())
    };
    let backward = |draw: &mut Draw, shape: [usize; 4]| {
        let layer = layer(draw, 1e-5, shape[1]);
        let [x, upstream] = [draw.normals(&shape, 5.0, 12.0), draw.normals(&shape, 1.0, 0.0)];
        call("backward_2d", [layer, vec![x, upstream]].concat())
    };
    let follow = |draw: &mut Draw| {
        let batches = (0..3).map(|_| draw.normals(&shape, 2.0, 1.5)).collect();
        call("follow_2d", [vec![Value::scalar(draw.uniform(0.05, 0.3))], batches].concat())
    };
    let evaluate = |draw: &mut Draw| {
        let [mean, variance] = [draw.normals(&[shape[1]], 1.0, 0.0), draw.uniforms(&[shape[1]], 0.2, 4.0)];
        let layer = layer(draw, 1e-5, shape[1]);
        call("evaluate_2d", [layer, vec![mean, variance, draw.normals(&shape, 2.0, 1.0)]].concat())
    };
    vec![
        Test {
            name: "forward_2d",
            points: 8,
            asks: "forward_2d(): the output, for a batch of images and for a single image",
            hint: "A channel has one mean, over N · H · W values: in the slice, H · W neighbours of each image.",
            expects: within(TOLERANCE),
            calls: vec![forward(draw, shape), forward(draw, single)],
        },
        Test {
            name: "running_2d",
            points: 4,
            asks: "follow_2d() over three batches, then evaluate_2d() with given running statistics",
            hint: "The unbiased variance divides by one less than the values there are: an image has H · W.",
            expects: within(TOLERANCE),
            calls: vec![follow(draw), evaluate(draw)],
        },
        Test {
            name: "backward_2d",
            points: 10,
            asks: "backward_2d(): the gradients of x, γ and β for a random upstream gradient",
            hint: "The equations of the vectors, with N · H · W values in each mean and each sum.",
            expects: within(OF_GRADIENTS),
            calls: vec![backward(draw, shape), backward(draw, single)],
        },
    ]
}

fn call(function: &'static str, arguments: Vec<Value>) -> Call {
    Call { function, arguments }
}

/// γ, β and ε.
fn layer(draw: &mut Draw, epsilon: f64, features: usize) -> Vec<Value> {
    vec![draw.normals(&[features], 0.5, 1.5), draw.normals(&[features], 1.0, 0.5), Value::scalar(epsilon)]
}

/// N and D, never the same.
fn sizes(draw: &mut Draw) -> (usize, usize) {
    (6 + draw.below(4), 3 + draw.below(2))
}
