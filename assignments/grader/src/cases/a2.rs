//! Inputs for the tests of A2: batches of vectors and of images, layers, and upstream gradients.

use crate::{
    rng::Rng,
    test_inputs::{Call, TestInputs, within},
    value::Value,
};

const TOLERANCE: f64 = 1e-9;
/// The tolerance of the least exact of CS231n's checks of gradients.
const GRADIENT_TOLERANCE: f64 = 1e-8;

pub fn tests(rng: &mut Rng) -> Vec<TestInputs> {
    [statistics(rng), forward(rng), running(rng), backward(rng), images(rng)].into_iter().flatten().collect()
}

fn statistics(rng: &mut Rng) -> Vec<TestInputs> {
    let (n, d) = sizes(rng);
    let of = |x: Value| call("mean_and_variance", vec![x]);
    let of_narrow = |rng: &mut Rng, n: usize| call("mean_and_variance_f32", vec![far_from_zero(rng, n)]);
    vec![
        TestInputs {
            name: "mean_and_variance",
            points: 8,
            asks: "mean_and_variance() of two batches, the second of one example",
            hint: "One mean for each feature. The squares are divided by N.",
            expects: within(TOLERANCE),
            calls: vec![of(rng.normals(&[n, d], 2.0, 1.0)), of(rng.normals(&[1, 3], 2.0, 1.0))],
        },
        TestInputs {
            name: "large_mean_f32",
            points: 8,
            asks: "mean_and_variance_f32() of features with means of tens of thousands and deviations below 6",
            hint: "40000 squared has 10 digits; an f32 has 7 of them. Subtract first, square then.",
            expects: within(1e-3),
            calls: vec![of_narrow(rng, 16), of_narrow(rng, 64)],
        },
    ]
}

/// Draws four features whose variance is lost next to their squared means in 32 bits.
fn far_from_zero(rng: &mut Rng, n: usize) -> Value {
    let mut feature = || {
        let (mean, standard_deviation) = ((4 + rng.below(4)) * 8192, 1 + rng.below(5));
        rng.two_values_around(mean as f64, standard_deviation as f64, n)
    };
    let features: Vec<Vec<f64>> = (0..4).map(|_| feature()).collect();
    Value::matrix(n, 4, (0..n).flat_map(|row| features.iter().map(move |feature| feature[row])).collect())
}

fn forward(rng: &mut Rng) -> Vec<TestInputs> {
    let (n, d) = sizes(rng);
    let on =
        |rng: &mut Rng, epsilon: f64, x: Value| call("forward", [layer(rng, epsilon, x.shape[1]), vec![x]].concat());
    let mut quiet = rng.normals(&[n, d], 0.05, 3.0);
    // One feature is the same in every example.
    quiet.values.iter_mut().step_by(d).for_each(|value| *value = 3.0);
    let (usual, one) = (rng.normals(&[n, d], 3.0, 1.0), rng.normals(&[1, d], 3.0, 1.0));
    vec![
        TestInputs {
            name: "forward",
            points: 10,
            asks: "forward(): the output, for a batch and for a single example",
            hint: "A single example is its own mean, so that x̂ is 0. γ and β come last, in this order.",
            expects: within(TOLERANCE),
            calls: vec![on(rng, 1e-5, usual), on(rng, 1e-5, one)],
        },
        TestInputs {
            name: "epsilon",
            points: 6,
            asks: "forward() of features whose deviation is so small that ε counts, and of a constant one",
            hint: "Under the root: √(σ² + ε), not √σ² + ε.",
            expects: within(TOLERANCE),
            calls: vec![on(rng, 1e-3, quiet.clone()), on(rng, 0.1, quiet)],
        },
    ]
}

fn running(rng: &mut Rng) -> Vec<TestInputs> {
    let (n, d) = sizes(rng);
    let follow = |rng: &mut Rng, momentum: f64, sizes: &[usize]| {
        let batches = sizes.iter().map(|size| rng.normals(&[*size, d], 2.0, 1.5)).collect();
        call("follow", [vec![Value::scalar(momentum)], batches].concat())
    };
    let evaluate = |rng: &mut Rng, epsilon: f64, n: usize| {
        let [mean, variance] = [rng.normals(&[d], 1.0, 0.0), rng.uniforms(&[d], 0.2, 4.0)];
        let layer = layer(rng, epsilon, d);
        call("evaluate", [layer, vec![mean, variance, rng.normals(&[n, d], 2.0, 1.0)]].concat())
    };
    let momentum = rng.uniform(0.02, 0.3);
    vec![
        TestInputs {
            name: "running_statistics",
            points: 10,
            asks: "follow(): the running mean and variance of a new layer after one batch, and after several",
            hint: "From mean 0, with momentum 0.1, it moves to a tenth of μ. And which variance is remembered?",
            expects: within(TOLERANCE),
            calls: vec![follow(rng, 0.1, &[n]), follow(rng, momentum, &[n, 2, n + 3, n])],
        },
        TestInputs {
            name: "evaluation",
            points: 8,
            asks: "evaluate() with given running statistics, for several examples and for one",
            hint: "Nothing of the batch enters: an example alone gets the same answer as in company.",
            expects: within(TOLERANCE),
            calls: vec![evaluate(rng, 1e-5, n), evaluate(rng, 1e-2, 1)],
        },
    ]
}

fn backward(rng: &mut Rng) -> Vec<TestInputs> {
    let (n, d) = sizes(rng);
    let all = |rng: &mut Rng, function: &'static str, epsilon: f64, x: Value, upstream: Value| {
        call(function, [layer(rng, epsilon, x.shape[1]), vec![x, upstream]].concat())
    };
    let random = |rng: &mut Rng, function: &'static str, shape: [usize; 2], scale: f64, epsilon: f64| {
        let [x, upstream] = [rng.normals(&shape, scale, 12.0), rng.normals(&shape, 1.0, 0.0)];
        all(rng, function, epsilon, x, upstream)
    };
    let x = rng.normals(&[n, d], 2.0, 1.0);
    let constant: Vec<f64> = (0..d).map(|_| rng.normal()).collect();
    let constant = Value::matrix(n, d, constant.repeat(n));
    vec![
        TestInputs {
            name: "backward_parameters",
            points: 8,
            asks: "backward_parameters(): the gradients of γ and β for a random upstream gradient",
            hint: "γ multiplies x̂, so its gradient is upstream times x̂, summed over the examples.",
            expects: within(GRADIENT_TOLERANCE),
            calls: vec![
                random(rng, "backward_parameters", [4, 5], 5.0, 1e-5),
                random(rng, "backward_parameters", [n, d], 0.5, 1e-2),
            ],
        },
        TestInputs {
            name: "backward_inputs",
            points: 16,
            asks: "backward_inputs(): the gradient of x for a random upstream gradient",
            hint: "Three ways lead from x to the loss. With one way left out, which of the four lines changes?",
            expects: within(GRADIENT_TOLERANCE),
            calls: vec![
                random(rng, "backward_inputs", [4, 5], 5.0, 1e-5),
                random(rng, "backward_inputs", [n, d], 0.5, 1e-2),
                random(rng, "backward_inputs", [n + 5, 2], 1.0, 1e-5),
            ],
        },
        TestInputs {
            name: "backward_invariance",
            points: 4,
            asks: "backward_inputs() of upstream gradients that only shift or stretch a feature: 0",
            hint: "Move all x by as much, or stretch them: y stays, but for ε. So the gradient has no such part.",
            // The expected values are 0, up to rounding: an absolute tolerance of 10⁻¹².
            expects: within(1e-4),
            calls: vec![
                all(rng, "backward_inputs", 1e-5, x.clone(), constant),
                all(rng, "backward_inputs", 1e-14, x.clone(), x),
            ],
        },
    ]
}

fn images(rng: &mut Rng) -> Vec<TestInputs> {
    let shape = [2 + rng.below(2), 4 + rng.below(2), 2 + rng.below(2), 3];
    let single = [1, 2 + rng.below(3), 3, 2];
    let forward = |rng: &mut Rng, shape: [usize; 4]| {
        call("forward_2d", [layer(rng, 1e-5, shape[1]), vec![rng.normals(&shape, 2.0, 1.0)]].concat())
    };
    let backward = |rng: &mut Rng, shape: [usize; 4]| {
        let layer = layer(rng, 1e-5, shape[1]);
        let [x, upstream] = [rng.normals(&shape, 5.0, 12.0), rng.normals(&shape, 1.0, 0.0)];
        call("backward_2d", [layer, vec![x, upstream]].concat())
    };
    let follow = |rng: &mut Rng| {
        let batches = (0..3).map(|_| rng.normals(&shape, 2.0, 1.5)).collect();
        call("follow_2d", [vec![Value::scalar(rng.uniform(0.05, 0.3))], batches].concat())
    };
    let evaluate = |rng: &mut Rng| {
        let [mean, variance] = [rng.normals(&[shape[1]], 1.0, 0.0), rng.uniforms(&[shape[1]], 0.2, 4.0)];
        let layer = layer(rng, 1e-5, shape[1]);
        call("evaluate_2d", [layer, vec![mean, variance, rng.normals(&shape, 2.0, 1.0)]].concat())
    };
    vec![
        TestInputs {
            name: "forward_2d",
            points: 8,
            asks: "forward_2d(): the output, for a batch of images and for a single image",
            hint: "A channel has one mean, over N · H · W values: in the slice, H · W neighbours of each image.",
            expects: within(TOLERANCE),
            calls: vec![forward(rng, shape), forward(rng, single)],
        },
        TestInputs {
            name: "running_2d",
            points: 4,
            asks: "follow_2d() over three batches, then evaluate_2d() with given running statistics",
            hint: "The unbiased variance divides by one less than the values there are: an image has H · W.",
            expects: within(TOLERANCE),
            calls: vec![follow(rng), evaluate(rng)],
        },
        TestInputs {
            name: "backward_2d",
            points: 10,
            asks: "backward_2d(): the gradients of x, γ and β for a random upstream gradient",
            hint: "The equations of the vectors, with N · H · W values in each mean and each sum.",
            expects: within(GRADIENT_TOLERANCE),
            calls: vec![backward(rng, shape), backward(rng, single)],
        },
    ]
}

fn call(function: &'static str, arguments: Vec<Value>) -> Call {
    Call { function, arguments }
}

/// Draws γ and β, and adds ε.
fn layer(rng: &mut Rng, epsilon: f64, features: usize) -> Vec<Value> {
    vec![rng.normals(&[features], 0.5, 1.5), rng.normals(&[features], 1.0, 0.5), Value::scalar(epsilon)]
}

/// Draws the numbers of examples and features, which always differ.
fn sizes(rng: &mut Rng) -> (usize, usize) {
    (6 + rng.below(4), 3 + rng.below(2))
}
