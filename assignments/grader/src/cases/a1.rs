//! Inputs for the tests of A1: tables of features, Hessians with given eigenvalues, and linear problems.

use crate::{
    rng::Rng,
    test_inputs::{Call, TestInputs, within},
    value::Value,
};

const TOLERANCE: f64 = 1e-9;

pub fn tests(rng: &mut Rng) -> Vec<TestInputs> {
    [statistics(rng), standardized(rng), conditioning(rng), descent(rng)].into_iter().flatten().collect()
}

fn statistics(rng: &mut Rng) -> Vec<TestInputs> {
    let fit = |train: Value| call("fit", vec![train]);
    let (examples, constant) = (7 + 2 * rng.below(4), constants(rng));
    vec![
        TestInputs {
            name: "fit",
            points: 8,
            asks: "Scaler::fit: means and deviations of features with scales from a thousandth to thousands",
            hint: "An entry for each column. The squares are divided by N; the deviation is a root.",
            expects: within(TOLERANCE),
            calls: vec![fit(features(rng, examples, 3)), fit(features(rng, examples + 2, 4))],
        },
        TestInputs {
            name: "fit_large_mean",
            points: 6,
            asks: "Scaler::fit of seconds since 1970, all within a moment: a huge mean, a deviation of a few seconds",
            hint: "Two passes: first the mean, then the squares of what is left when it is subtracted.",
            expects: within(1e-7),
            calls: vec![fit(times(rng, 8)), fit(times(rng, 16))],
        },
        TestInputs {
            name: "fit_constant",
            points: 6,
            asks: "Scaler::fit where some features are the same in every example",
            hint: "Is your deviation 0, or some 1e-17? The mean of equal numbers is rounded, too.",
            expects: within(TOLERANCE),
            calls: vec![
                fit(constant_columns(&constant, examples)),
                fit(constant_columns(&constant[1..], examples + 2)),
            ],
        },
    ]
}

fn standardized(rng: &mut Rng) -> Vec<TestInputs> {
    let (examples, columns) = (8 + rng.below(5), 3 + rng.below(2));
    let (mean, mut deviation) = (rng.normals(&[columns], 5.0, 2.0), rng.uniforms(&[columns], 0.5, 4.0));
    let apply = |deviation: &Value, examples: Value| call("apply", vec![mean.clone(), deviation.clone(), examples]);
    let usual = vec![
        apply(&deviation, rng.normals(&[4, columns], 6.0, 2.0)),
        apply(&deviation, rng.normals(&[1, columns], 6.0, 2.0)),
    ];
    deviation.values[rng.below(columns)] = 0.0;
    let (train, test, one) = (features(rng, examples, columns), features(rng, 3, columns), features(rng, 1, columns));
    let constant = constants(rng);
    vec![
        TestInputs {
            name: "apply",
            points: 6,
            asks: "Scaler::apply with given means and deviations, to several examples and to one",
            hint: "First subtract the mean, then divide. The statistics are those of the scaler.",
            expects: within(TOLERANCE),
            calls: usual,
        },
        TestInputs {
            name: "constant_features",
            points: 8,
            asks: "Scaler::apply where a deviation is 0; and fit with apply where features are constant",
            hint: "0 / 0 is NaN, and one NaN makes the whole net NaN. Ask for the deviation before you divide.",
            expects: within(TOLERANCE),
            calls: vec![
                apply(&deviation, rng.normals(&[3, columns], 6.0, 2.0)),
                call("fit_and_apply", vec![constant_columns(&constant, 7)]),
            ],
        },
        TestInputs {
            name: "prepare",
            points: 8,
            asks: "prepare(): training data, and test data of three examples and of one",
            hint: "What is known of the test data when the model is trained? Not even its mean.",
            expects: within(TOLERANCE),
            calls: vec![call("prepare", vec![train.clone(), test]), call("prepare", vec![train, one])],
        },
        TestInputs {
            name: "raw_weights",
            points: 8,
            asks: "raw_weights(): weights and bias for the features as they were measured, one of them constant",
            hint: "Compare both sides at x = 0: what is left on the left is not b alone.",
            expects: within(TOLERANCE),
            calls: (0..2)
                .map(|_| {
                    let (weights, bias) = (rng.normals(&[columns], 1.0, 0.0), Value::scalar(rng.normal()));
                    call("raw_weights", vec![weights, bias, mean.clone(), deviation.clone()])
                })
                .collect(),
        },
    ]
}

fn conditioning(rng: &mut Rng) -> Vec<TestInputs> {
    let size = 3 + rng.below(2);
    let of = |hessian: Value| call("condition_number", vec![hessian]);
    let best = |hessian: Value| call("best_rate", vec![hessian]);
    // Unsorted: neither the smallest nor the largest is first or last.
    let diagonal = [rng.uniform(1.0, 2.0), rng.uniform(0.01, 0.1), rng.uniform(5.0, 9.0), rng.uniform(0.5, 0.9)];
    let mut dependent = spectrum(rng, size);
    dependent[1] = 0.0;
    vec![
        TestInputs {
            name: "hessian",
            points: 6,
            asks: "hessian(): of more examples than features",
            hint: "D × D and symmetric. Its diagonal holds the mean squares of the features.",
            expects: within(TOLERANCE),
            calls: vec![
                call("hessian", vec![rng.normals(&[size + 3, size], 2.0, 1.0)]),
                call("hessian", vec![rng.normals(&[size + 2, 2], 1.0, -1.0)]),
            ],
        },
        TestInputs {
            name: "condition_number",
            points: 6,
            asks: "condition_number() of Hessians, the first of them diagonal",
            hint: "Print the eigenvalues: are they sorted?",
            expects: within(TOLERANCE),
            calls: vec![of(with_eigenvalues(rng, &diagonal, 0)), {
                let eigenvalues = spectrum(rng, size);
                of(with_eigenvalues(rng, &eigenvalues, 12))
            }],
        },
        TestInputs {
            name: "dependent_features",
            points: 6,
            asks: "condition_number() where a feature is a sum of others: infinity",
            hint: "Rounding leaves 1e-17 in the place of 0, or -1e-17.",
            expects: within(TOLERANCE),
            calls: vec![
                of(Value::matrix(2, 2, vec![1.0; 4])),
                of(with_eigenvalues(rng, &dependent, 12)),
                of(with_eigenvalues(rng, &dependent, 12)),
                of(with_eigenvalues(rng, &dependent, 12)),
            ],
        },
        TestInputs {
            name: "best_rate",
            points: 10,
            asks: "best_rate(): the learning rate, and the factor of a step from the worst start",
            hint: "At the best rate both ends are equally bad: 1 − ηλmin = ηλmax − 1. What is left of an error of 1?",
            expects: within(TOLERANCE),
            calls: vec![best(with_eigenvalues(rng, &diagonal, 0)), {
                let eigenvalues = spectrum(rng, size);
                best(with_eigenvalues(rng, &eigenvalues, 12))
            }],
        },
    ]
}

fn descent(rng: &mut Rng) -> Vec<TestInputs> {
    let most = Value::scalar(10_000.0);
    let steps = |rng: &mut Rng, [inputs, targets]: [Value; 2], rates: [f64; 2], fraction: f64| {
        let rate = Value::scalar(rng.uniform(rates[0], rates[1]));
        call("steps_to", vec![inputs, targets, rate, Value::scalar(fraction), most.clone()])
    };
    let gradient = |rng: &mut Rng, examples: usize, columns: usize| {
        let weights = rng.normals(&[columns], 1.0, 0.0);
        let [inputs, targets] = [rng.normals(&[examples, columns], 2.0, 0.5), rng.normals(&[examples], 1.0, 3.0)];
        call("gradient", vec![inputs, targets, weights])
    };
    let examples = 6 + rng.below(5);
    let (easy, slow) = (linear_problem(rng, 2 * examples, 3, 0.0), linear_problem(rng, 3 * examples, 4, 1.5));
    // No linear function of 2 features fits 12 random targets.
    let hopeless = [rng.normals(&[12, 2], 1.0, 0.0), rng.normals(&[12], 1.0, 0.0)];
    let small = rng.uniform(0.001, 0.01);
    vec![
        TestInputs {
            name: "gradient",
            points: 10,
            asks: "gradient() at random weights",
            hint: "Move one weight by 1e-6 and look at `loss`: it changes by 1e-6 times the gradient's entry.",
            expects: within(TOLERANCE),
            calls: vec![gradient(rng, examples, 3), gradient(rng, examples + 2, 2), gradient(rng, 1, 4)],
        },
        TestInputs {
            name: "steps",
            points: 8,
            asks: "steps_to() on linear problems, with larger and smaller learning rates",
            hint: "t is how often the weights have been changed when the loss is low enough for the first time.",
            expects: within(0.0),
            calls: vec![
                steps(rng, easy.clone(), [0.2, 0.4], small),
                steps(rng, slow, [0.01, 0.02], 0.001),
                steps(rng, easy.clone(), [0.2, 0.4], 1.0),
            ],
        },
        TestInputs {
            name: "steps_never",
            points: 4,
            asks: "steps_to() where it cannot be reached: infinity here, None in Rust",
            hint: "A rate that is too large makes the loss infinite, then NaN. Which comparison is true of NaN?",
            expects: within(0.0),
            calls: vec![steps(rng, hopeless, [0.1, 0.2], 1e-4), steps(rng, easy, [20.0, 30.0], small)],
        },
    ]
}

fn call(function: &'static str, arguments: Vec<Value>) -> Call {
    Call { function, arguments }
}

/// Draws a table `[examples, columns]` whose columns have scales several powers of ten apart.
fn features(rng: &mut Rng, examples: usize, columns: usize) -> Value {
    let scales: Vec<f64> =
        (0..columns).map(|column| [1.0, 1e3, 1e-3, 30.0][column % 4] * rng.uniform(1.0, 3.0)).collect();
    let mut table = rng.normals(&[examples, columns], 1.0, 0.7);
    table.values.iter_mut().enumerate().for_each(|(index, value)| *value *= scales[index % columns]);
    table
}

/// Draws one column of seconds since 1970, all within a few seconds of each other.
fn times(rng: &mut Rng, examples: usize) -> Value {
    let (moment, standard_deviation) = rng.large_mean();
    Value::matrix(examples, 1, rng.two_values_around(moment, standard_deviation, examples))
}

/// Draws values for constant columns: first one whose mean is exact, then some whose mean is rounded.
fn constants(rng: &mut Rng) -> [f64; 6] {
    let mut large = || rng.uniform(100.0, 1000.0);
    [3.0, 0.1, large(), -large(), large(), large()]
}

/// Makes a table with a column for each constant.
fn constant_columns(constants: &[f64], examples: usize) -> Value {
    Value::matrix(examples, constants.len(), constants.repeat(examples))
}

/// Draws unsorted eigenvalues that span three powers of ten.
fn spectrum(rng: &mut Rng, size: usize) -> Vec<f64> {
    (0..size).map(|index| [3.0, 0.004, 0.3, 0.05][index] * rng.uniform(1.0, 3.0)).collect()
}

/// Draws a symmetric matrix with these eigenvalues: a diagonal one after `rotations` rotations in two coordinates each.
fn with_eigenvalues(rng: &mut Rng, eigenvalues: &[f64], rotations: usize) -> Value {
    let n = eigenvalues.len();
    let mut a = vec![0.0; n * n];
    eigenvalues.iter().enumerate().for_each(|(index, value)| a[index * n + index] = *value);
    for _ in 0..rotations {
        let p = rng.below(n);
        let q = (p + 1 + rng.below(n - 1)) % n;
        let cosine = rng.uniform(-0.9, 0.9);
        let sine = (1.0 - cosine * cosine).sqrt();
        for (step, stride) in [(n, 1), (1, n)] {
            for index in 0..n {
                let (x, y) = (a[index * step + p * stride], a[index * step + q * stride]);
                a[index * step + p * stride] = cosine * x - sine * y;
                a[index * step + q * stride] = sine * x + cosine * y;
            }
        }
    }
    // Rounding has made the last bits of the two triangles differ.
    for row in 0..n {
        for column in 0..row {
            a[row * n + column] = a[column * n + row];
        }
    }
    Value::matrix(n, n, a)
}

/// Draws inputs with standard deviation 1 and this mean, whose last column is 1, and the targets that a linear function
/// gives for them.
fn linear_problem(rng: &mut Rng, examples: usize, columns: usize, mean: f64) -> [Value; 2] {
    let mut inputs = rng.normals(&[examples, columns], 1.0, mean);
    inputs.values.iter_mut().skip(columns - 1).step_by(columns).for_each(|value| *value = 1.0);
    let truth = rng.normals(&[columns], 1.0, 0.5).values;
    let targets = inputs.values.chunks(columns).map(|row| row.iter().zip(&truth).map(|(x, w)| x * w).sum());
    let targets: Vec<f64> = targets.collect();
    [inputs, Value::vector(targets)]
}
