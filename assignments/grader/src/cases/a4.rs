//! Inputs for the tests of A4: batches of images, and layers whose invariances are measured.

use crate::{
    rng::Rng,
    test_inputs::{Call, TestInputs, within},
    wire::Value,
};

/// The normalizations as the harness reads them: a number for the kind, and the number of groups.
const BATCH: [f64; 2] = [0.0, 0.0];
const LAYER: [f64; 2] = [1.0, 0.0];
const INSTANCE: [f64; 2] = [2.0, 0.0];

const CHANGES: usize = 7;
const TOLERANCE: f64 = 1e-9;

pub fn tests(rng: &mut Rng) -> Vec<TestInputs> {
    let mut tests = sets_and_statistics(rng);
    tests.extend(normalized(rng));
    tests.extend(table(rng));
    tests
}

fn sets_and_statistics(rng: &mut Rng) -> Vec<TestInputs> {
    let (shape, groups) = shape(rng);
    let other = [shape[0] + 1, 12, 2, 1];
    let of = |shape: [usize; 4], which: [f64; 2]| Call {
        function: "set_of",
        arguments: vec![Value::vector(shape.map(|size| size as f64).into()), Value::vector(which.into())],
    };
    let statistics =
        |which: [f64; 2], x: Value| Call { function: "statistics", arguments: vec![x, Value::vector(which.into())] };
    vec![
        TestInputs {
            name: "sets",
            points: 12,
            asks: "Norm::set_of for batch, layer and instance normalization: the set of every example and channel",
            hint: "A set for each channel (batch), for each example (layer), for each pair of them (instance).",
            expects: within(0.0),
            calls: vec![of(shape, BATCH), of(shape, LAYER), of(shape, INSTANCE)],
        },
        TestInputs {
            name: "sets_group",
            points: 8,
            asks: "Norm::set_of for group normalization: the set of every example and channel",
            hint: "G is the number of groups, not their size. Neighbouring channels share one.",
            expects: within(0.0),
            calls: vec![of(shape, group(groups)), of(other, group(3)), of(other, group(4))],
        },
        TestInputs {
            name: "statistics",
            points: 15,
            asks: "statistics() for each norm: the means, then the variances",
            hint: "Each set has n · c · h · w / sets values. Compare with a set that you add up by hand.",
            expects: within(TOLERANCE),
            calls: [BATCH, LAYER, INSTANCE, group(groups)]
                .map(|norm| statistics(norm, rng.normals(&shape, 1.5, 0.7)))
                .into(),
        },
        TestInputs {
            name: "statistics_large_mean",
            points: 10,
            asks: "statistics() of values near a billion with a deviation of a few units",
            hint: "Large and nearly equal numbers cancel. Subtract the mean first, then square.",
            expects: within(1e-6),
            calls: [BATCH, LAYER, INSTANCE, group(2)].map(|norm| statistics(norm, far_from_zero(rng))).into(),
        },
    ]
}

/// Draws a batch with one mean, so large that the variance is lost next to its square, and a variance for each plane.
fn far_from_zero(rng: &mut Rng) -> Value {
    let shape = [2, 8, 2, 2];
    let (mean, _) = rng.large_mean();
    let mut plane = || {
        let (_, standard_deviation) = rng.large_mean();
        rng.two_values_around(mean, standard_deviation, shape[2] * shape[3])
    };
    Value { shape: shape.into(), values: (0..shape[0] * shape[1]).flat_map(|_| plane()).collect() }
}

fn normalized(rng: &mut Rng) -> Vec<TestInputs> {
    let (shape, groups) = shape(rng);
    let call = |rng: &mut Rng, which: [f64; 2], scale: f64, epsilon: f64| Call {
        function: "normalize",
        arguments: vec![
            rng.normals(&shape, scale, 0.5),
            Value::vector(which.into()),
            rng.normals(&[shape[1]], 0.5, 1.0),
            rng.normals(&[shape[1]], 0.5, 0.0),
            Value::scalar(epsilon),
        ],
    };
    let test = |rng: &mut Rng, name, asks, which| TestInputs {
        name,
        points: 6,
        asks,
        hint: "γ and β belong to a channel, mean and variance to a set.",
        expects: within(TOLERANCE),
        calls: vec![call(rng, which, 2.0, 1e-5)],
    };
    vec![
        test(rng, "normalize_batch", "normalize() with batch normalization", BATCH),
        test(rng, "normalize_layer", "normalize() with layer normalization", LAYER),
        test(rng, "normalize_instance", "normalize() with instance normalization", INSTANCE),
        test(rng, "normalize_group", "normalize() with group normalization", group(groups)),
        TestInputs {
            name: "epsilon",
            points: 6,
            asks: "normalize() of values so close together that ε counts, with layer normalization",
            hint: "ε is added to the variance, and the root is taken of both.",
            expects: within(TOLERANCE),
            calls: vec![call(rng, LAYER, 0.05, 1e-3), call(rng, LAYER, 0.5, 0.1)],
        },
    ]
}

fn table(rng: &mut Rng) -> Vec<TestInputs> {
    let (shape, groups) = shape(rng);
    let outputs = groups * (groups + 1);
    let wide = [shape[0], shape[1], shape[2] + 1, shape[3] + 1];
    let usual = [BATCH, LAYER, INSTANCE, group(groups)];
    let extremes = [LAYER, group(1), INSTANCE, group(outputs), BATCH];
    let probe = probe(rng, wide, outputs);
    let changed = |change: usize| Call {
        function: "changed",
        arguments: probe.iter().cloned().chain([Value::scalar(change as f64)]).collect(),
    };
    let normalized = Call {
        function: "normalized",
        arguments: probe.iter().cloned().chain([Value::vector(group(groups).into())]).collect(),
    };
    let invariances = |rng: &mut Rng, shape: [usize; 4], outputs: usize, norms: &[[f64; 2]]| Call {
        function: "invariances",
        arguments: self::probe(rng, shape, outputs)
            .into_iter()
            .chain([Value { shape: vec![norms.len(), 2], values: norms.concat() }])
            .collect(),
    };
    vec![
        TestInputs {
            name: "changes",
            points: 10,
            asks: "Probe::changed for each change, and Probe::normalized with group normalization",
            hint: "Row k of W holds the weights of output channel k. The first example is the first n-th of x.",
            expects: within(TOLERANCE),
            calls: (0..CHANGES).map(changed).chain([normalized]).collect(),
        },
        TestInputs {
            name: "table",
            points: 10,
            asks: "invariances() of a convolution on images, for batch, layer, instance and group normalization",
            hint: "Compare the outputs before and after, value by value, with TOLERANCE; 1 is for unchanged.",
            expects: within(0.0),
            calls: vec![invariances(rng, wide, outputs, &usual), invariances(rng, wide, 3 * groups, &usual)],
        },
        TestInputs {
            name: "table_extremes",
            points: 5,
            asks: "invariances() where norms coincide: one group, groups of one channel, one image, one pixel",
            hint: "No row can be known in advance: it depends on how many values share a set.",
            expects: within(0.0),
            calls: vec![
                invariances(rng, wide, outputs, &extremes),
                invariances(rng, [1, wide[1], wide[2], wide[3]], outputs, &extremes),
                invariances(rng, [6, wide[1], 1, 1], 2 * outputs, &usual),
            ],
        },
    ]
}

/// Draws x, W, the factor, the shift and the added row, for a layer from `shape[1]` to `outputs` channels.
fn probe(rng: &mut Rng, shape: [usize; 4], outputs: usize) -> Vec<Value> {
    vec![
        rng.normals(&shape, 1.0, 0.5),
        rng.normals(&[outputs, shape[1]], 1.0, 0.0),
        Value::scalar(rng.uniform(2.0, 4.0)),
        Value::scalar(rng.uniform(0.5, 1.5)),
        rng.normals(&[shape[1]], 1.0, 0.0),
    ]
}

/// Draws a shape with sizes of at least two, and a number of groups, each of at least two channels.
fn shape(rng: &mut Rng) -> ([usize; 4], usize) {
    let (groups, size) = (2 + rng.below(2), 2 + rng.below(2));
    // The size of a group differs from the number of groups, so a test notices if they are confused.
    let size = if size == groups { size + 1 } else { size };
    ([2 + rng.below(3), groups * size, 2 + rng.below(2), 2 + rng.below(3)], groups)
}

fn group(groups: usize) -> [f64; 2] {
    [3.0, groups as f64]
}
