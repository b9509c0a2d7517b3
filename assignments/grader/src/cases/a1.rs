//! Inputs for the tests of A1: tables of features, Hessians with eigenvalues of our choice, and linear problems.

use crate::{
    draw::Draw,
    test::{Call, Test, within},
    value::Value,
};

const TOLERANCE: f64 = 1e-9;

pub fn tests(draw: &mut Draw) -> Vec<Test> {
    [statistics(draw), standardized(draw), conditioning(draw), descent(draw)].into_iter().flatten().collect()
}

fn statistics(draw: &mut Draw) -> Vec<Test> {
    let fit = |train: Value| call("fit", vec![train]);
    let (examples, constant) = (7 + 2 * draw.below(4), constants(draw));
    vec![
        Test {
            name: "fit",
            points: 8,
            asks: "Scaler::fit: means and deviations of features with scales from a thousandth to thousands",
            hint: "An entry for each column. The squares are divided by N; the deviation is a root.",
            expects: within(TOLERANCE),
            calls: vec![fit(features(draw, examples, 3)), fit(features(draw, examples + 2, 4))],
        },
        Test {
            name: "fit_large_mean",
            points: 6,
            asks: "Scaler::fit of seconds since 1970, all within a moment: a huge mean, a deviation of a few seconds",
            hint: "Two passes: first the mean, then the squares of what is left when it is subtracted.",
            expects: within(1e-7),
            calls: vec![fit(times(draw, 8)), fit(times(draw, 16))],
        },
        Test {
            name: "fit_constant",
            points: 6,
            asks: "Scaler::fit where some features are the same in every example",
            hint: "Is your deviation 0, or some 1e-17? The mean of equal numbers is rounded, too.",
            expects: within(TOLERANCE),
            calls: vec![fit(beside(&constant, examples)), fit(beside(&constant[1..], examples + 2))],
        },
    ]
}

fn standardized(draw: &mut Draw) -> Vec<Test> {
    let (examples, columns) = (8 + draw.below(5), 3 + draw.below(2));
    let (mean, mut deviation) = (draw.normals(&[columns], 5.0, 2.0), draw.uniforms(&[columns], 0.5, 4.0));
    let apply = |deviation: &Value, examples: Value| call("apply", vec![mean.clone(), deviation.clone(), examples]);
    let usual = vec![
        apply(&deviation, draw.normals(&[4, columns], 6.0, 2.0)),
        apply(&deviation, draw.normals(&[1, columns], 6.0, 2.0)),
    ];
    deviation.values[draw.below(columns)] = 0.0;
    let (train, test, one) =
        (features(draw, examples, columns), features(draw, 3, columns), features(draw, 1, columns));
    let constant = constants(draw);
    vec![
        Test {
            name: "apply",
            points: 6,
            asks: "Scaler::apply with given means and deviations, to several examples and to one",
            hint: "First subtract the mean, then divide. The statistics are those of the scaler.",
            expects: within(TOLERANCE),
            calls: usual,
        },
        Test {
            name: "constant_features",
            points: 8,
            asks: "Scaler::apply where a deviation is 0; and fit with apply where features are constant",
            hint: "0 / 0 is NaN, and one NaN makes the whole net NaN. Ask for the deviation before you divide.",
            expects: within(TOLERANCE),
            calls: vec![
                apply(&deviation, draw.normals(&[3, columns], 6.0, 2.0)),
                call("fit_and_apply", vec![beside(&constant, 7)]),
            ],
        },
        Test {
            name: "prepare",
            points: 8,
            asks: "prepare(): training data, and test data of three examples and of one",
            hint: "What is known of the test data when the model is trained? Not even its mean.",
            expects: within(TOLERANCE),
            calls: vec![call("prepare", vec![train.clone(), test]), call("prepare", vec![train, one])],
        },
        Test {
            name: "raw_weights",
            points: 8,
            asks: "raw_weights(): weights and bias for the features as they were measured, one of them constant",
            hint: "Compare both sides at x = 0: what is left on the left is not b alone.",
            expects: within(TOLERANCE),
            calls: (0..2)
                .map(|_| {
                    let (weights, bias) = (draw.normals(&[columns], 1.0, 0.0), Value::scalar(draw.normal()));
                    call("raw_weights", vec![weights, bias, mean.clone(), deviation.clone()])
                })
                .collect(),
        },
    ]
}

fn conditioning(draw: &mut Draw) -> Vec<Test> {
    let size = 3 + draw.below(2);
    let of = |hessian: Value| call("condition_number", vec![hessian]);
    let best = |hessian: Value| call("best_rate", vec![hessian]);
    // The largest in the middle, the smallest neither first nor last.
    let diagonal = [draw.uniform(1.0, 2.0), draw.uniform(0.01, 0.1), draw.uniform(5.0, 9.0), draw.uniform(0.5, 0.9)];
    let mut dependent = spectrum(draw, size);
    dependent[1] = 0.0;
    vec![
        Test {
            name: "hessian",
            points: 6,
            asks: "hessian(): of more examples than features",
            hint: "D × D and symmetric. Its diagonal holds the mean squares of the features.",
            expects: within(TOLERANCE),
            calls: vec![
                call("hessian", vec![draw.normals(&[size + 3, size], 2.0, 1.0)]),
                call("hessian", vec![draw.normals(&[size + 2, 2], 1.0, -1.0)]),
            ],
        },
        Test {
            name: "condition_number",
            points: 6,
            asks: "condition_number() of Hessians, the first of them diagonal",
            hint: "Print the eigenvalues: are they sorted?",
            expects: within(TOLERANCE),
            calls: vec![of(with_eigenvalues(draw, &diagonal, 0)), {
                let eigenvalues = spectrum(draw, size);
                of(with_eigenvalues(draw, &eigenvalues, 12))
            }],
        },
        Test {
            name: "dependent_features",
            points: 6,
            asks: "condition_number() where a feature is a sum of others: infinity",
            hint: "Rounding leaves 1e-17 in the place of 0, or -1e-17.",
            expects: within(TOLERANCE),
            calls: vec![
                of(Value::matrix(2, 2, vec![1.0; 4])),
                of(with_eigenvalues(draw, &dependent, 12)),
                of(with_eigenvalues(draw, &dependent, 12)),
                of(with_eigenvalues(draw, &dependent, 12)),
            ],
        },
        Test {
            name: "best_rate",
            points: 10,
            asks: "best_rate(): the learning rate, and the factor of a step from the worst start",
            hint: "At the best rate both ends are equally bad: 1 − ηλmin = ηλmax − 1. What is left of an error of 1?",
            expects: within(TOLERANCE),
            calls: vec![best(with_eigenvalues(draw, &diagonal, 0)), {
                let eigenvalues = spectrum(draw, size);
                best(with_eigenvalues(draw, &eigenvalues, 12))
            }],
        },
    ]
}

fn descent(draw: &mut Draw) -> Vec<Test> {
    let most = Value::scalar(10_000.0);
    let steps = |draw: &mut Draw, [inputs, targets]: [Value; 2], rates: [f64; 2], fraction: f64| {
        let rate = Value::scalar(draw.uniform(rates[0], rates[1]));
        call("steps_to", vec![inputs, targets, rate, Value::scalar(fraction), most.clone()])
    };
    let gradient = |draw: &mut Draw, examples: usize, columns: usize| {
        let weights = draw.normals(&[columns], 1.0, 0.0);
        let [inputs, targets] = [draw.normals(&[examples, columns], 2.0, 0.5), draw.normals(&[examples], 1.0, 3.0)];
        call("gradient", vec![inputs, targets, weights])
    };
    let examples = 6 + draw.below(5);
    let (easy, slow) = (linear_problem(draw, 2 * examples, 3, 0.0), linear_problem(draw, 3 * examples, 4, 1.5));
    // No linear function of 2 features gives 12 random targets.
    let hopeless = [draw.normals(&[12, 2], 1.0, 0.0), draw.normals(&[12], 1.0, 0.0)];
    let small = draw.uniform(0.001, 0.01);
    vec![
        Test {
            name: "gradient",
            points: 10,
            asks: "gradient() at random weights",
            hint: "Move one weight by 1e-6 and look at `loss`: it changes by 1e-6 times the gradient's entry.",
            expects: within(TOLERANCE),
            calls: vec![gradient(draw, examples, 3), gradient(draw, examples + 2, 2), gradient(draw, 1, 4)],
        },
        Test {
            name: "steps",
            points: 8,
            asks: "steps_to() on linear problems, with larger and smaller learning rates",
            hint: "t is how often the weights have been changed when the loss is low enough for the first time.",
            expects: within(0.0),
            calls: vec![
                steps(draw, easy.clone(), [0.2, 0.4], small),
                steps(draw, slow, [0.01, 0.02], 0.001),
                steps(draw, easy.clone(), [0.2, 0.4], 1.0),
            ],
        },
        Test {
            name: "steps_never",
            points: 4,
            asks: "steps_to() where it cannot be reached: infinity here, None in Rust",
            hint: "A rate that is too large makes the loss infinite, then NaN. Which comparison is true of NaN?",
            expects: within(0.0),
            calls: vec![steps(draw, hopeless, [0.1, 0.2], 1e-4), steps(draw, easy, [20.0, 30.0], small)],
        },
    ]
}

fn call(function: &'static str, arguments: Vec<Value>) -> Call {
    Call { function, arguments }
}

/// `[examples, columns]`, each column with a mean and a scale of its own, some powers of ten apart.
fn features(draw: &mut Draw, examples: usize, columns: usize) -> Value {
    let scales: Vec<f64> =
        (0..columns).map(|column| [1.0, 1e3, 1e-3, 30.0][column % 4] * draw.uniform(1.0, 3.0)).collect();
    let mut table = draw.normals(&[examples, columns], 1.0, 0.7);
    table.values.iter_mut().enumerate().for_each(|(index, value)| *value *= scales[index % columns]);
    table
}

/// One column of seconds since 1970, all within a moment.
fn times(draw: &mut Draw, examples: usize) -> Value {
    let (moment, deviation) = draw.large_centre();
    Value::matrix(examples, 1, draw.around(moment, deviation, examples))
}

/// Values for constant columns: one whose mean is exact, then some whose mean is rounded.
fn constants(draw: &mut Draw) -> [f64; 6] {
    let mut large = || draw.uniform(100.0, 1000.0);
    [3.0, 0.1, large(), -large(), large(), large()]
}

/// A column for each constant.
fn beside(constants: &[f64], examples: usize) -> Value {
    Value::matrix(examples, constants.len(), constants.repeat(examples))
}

/// Eigenvalues over three powers of ten, in a drawn order.
fn spectrum(draw: &mut Draw, size: usize) -> Vec<f64> {
    (0..size).map(|index| [3.0, 0.004, 0.3, 0.05][index] * draw.uniform(1.0, 3.0)).collect()
}

/// A symmetric matrix with these eigenvalues: a diagonal one, turned so many times in two of its directions.
fn with_eigenvalues(draw: &mut Draw, eigenvalues: &[f64], turns: usize) -> Value {
    let n = eigenvalues.len();
    let mut a = vec![0.0; n * n];
    eigenvalues.iter().enumerate().for_each(|(index, value)| a[index * n + index] = *value);
    for _ in 0..turns {
        let p = draw.below(n);
        let q = (p + 1 + draw.below(n - 1)) % n;
        let cosine = draw.uniform(-0.9, 0.9);
        let sine = (1.0 - cosine * cosine).sqrt();
        for (step, stride) in [(n, 1), (1, n)] {
            for index in 0..n {
                let (x, y) = (a[index * step + p * stride], a[index * step + q * stride]);
                a[index * step + p * stride] = cosine * x - sine * y;
                a[index * step + q * stride] = sine * x + cosine * y;
            }
        }
    }
    // The last bits of the two halves differ by then.
    for row in 0..n {
        for column in 0..row {
            a[row * n + column] = a[column * n + row];
        }
    }
    Value::matrix(n, n, a)
}

/// Inputs of deviation 1 and this mean, whose last column is 1, and targets that a linear function of them gives.
fn linear_problem(draw: &mut Draw, examples: usize, columns: usize, mean: f64) -> [Value; 2] {
    let mut inputs = draw.normals(&[examples, columns], 1.0, mean);
    inputs.values.iter_mut().skip(columns - 1).step_by(columns).for_each(|value| *value = 1.0);
    let truth = draw.normals(&[columns], 1.0, 0.5).values;
    let targets = inputs.values.chunks(columns).map(|row| row.iter().zip(&truth).map(|(x, w)| x * w).sum());
    let targets: Vec<f64> = targets.collect();
    [inputs, Value::vector(targets)]
}
