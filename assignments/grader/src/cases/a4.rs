//! Inputs for the tests of A4: batches of images, and layers to be probed.

use crate::{
    draw::Draw,
    test::{Call, Test, within},
    wire::Value,
};

/// The norms as the harness reads them: which, and the number of groups.
const BATCH: [f64; 2] = [0.0, 0.0];
const LAYER: [f64; 2] = [1.0, 0.0];
const INSTANCE: [f64; 2] = [2.0, 0.0];

const CHANGES: usize = 7;
const TOLERANCE: f64 = 1e-9;

pub fn tests(draw: &mut Draw) -> Vec<Test> {
    let mut tests = sets_and_statistics(draw);
    tests.extend(normalized(draw));
    tests.extend(table(draw));
    tests
}

fn sets_and_statistics(draw: &mut Draw) -> Vec<Test> {
    let (shape, groups) = shape(draw);
    let other = [shape[0] + 1, 12, 2, 1];
    let of = |shape: [usize; 4], which: [f64; 2]| Call {
        function: "set_of",
        arguments: vec![Value::vector(shape.map(|size| size as f64).into()), Value::vector(which.into())],
    };
    let statistics =
        |which: [f64; 2], x: Value| Call { function: "statistics", arguments: vec![x, Value::vector(which.into())] };
    vec![
        Test {
            name: "sets",
            points: 12,
            asks: "Norm::set_of for batch, layer and instance normalization: the set of every example and channel",
            hint: "A set for each channel (batch), for each example (layer), for each pair of them (instance).",
            expects: within(0.0),
            calls: vec![of(shape, BATCH), of(shape, LAYER), of(shape, INSTANCE)],
        },
        Test {
            name: "sets_group",
            points: 8,
            asks: "Norm::set_of for group normalization: the set of every example and channel",
            hint: "G is the number of groups, not their size. Neighbouring channels share one.",
            expects: within(0.0),
            calls: vec![of(shape, group(groups)), of(other, group(3)), of(other, group(4))],
        },
        Test {
            name: "statistics",
            points: 15,
            asks: "statistics() for each norm: the means, then the variances",
            hint: "Each set has n · c · h · w / sets values. Compare with a set that you add up by hand.",
            expects: within(TOLERANCE),
            calls: [BATCH, LAYER, INSTANCE, group(groups)]
                .map(|norm| statistics(norm, draw.normals(&shape, 1.5, 0.7)))
                .into(),
        },
        Test {
            name: "statistics_large_mean",
            points: 10,
            asks: "statistics() of values near a billion with a deviation of a few units",
            hint: "Large and nearly equal numbers cancel. Subtract the mean first, then square.",
            expects: within(1e-6),
            calls: [BATCH, LAYER, INSTANCE, group(2)].map(|norm| statistics(norm, far_from_zero(draw))).into(),
        },
    ]
}

/// A batch with one mean, so large that squares leave no room for a squared deviation, which is another in each plane.
fn far_from_zero(draw: &mut Draw) -> Value {
    let shape = [2, 8, 2, 2];
    let (centre, _) = draw.large_centre();
    let mut plane = || {
        let (_, deviation) = draw.large_centre();
        draw.around(centre, deviation, shape[2] * shape[3])
    };
    Value { shape: shape.into(), values: (0..shape[0] * shape[1]).flat_map(|_| plane()).collect() }
}

fn normalized(draw: &mut Draw) -> Vec<Test> {
    let (shape, groups) = shape(draw);
    let call = |draw: &mut Draw, which: [f64; 2], scale: f64, epsilon: f64| Call {
        function: "normalize",
        arguments: vec![
            draw.normals(&shape, scale, 0.5),
            Value::vector(which.into()),
            draw.normals(&[shape[1]], 0.5, 1.0),
            draw.normals(&[shape[1]], 0.5, 0.0),
            Value::scalar(epsilon),
        ],
    };
    let test = |draw: &mut Draw, name, asks, which| Test {
        name,
        points: 6,
        asks,
        hint: "γ and β belong to a channel, mean and variance to a set.",
        expects: within(TOLERANCE),
        calls: vec![call(draw, which, 2.0, 1e-5)],
    };
    vec![
        test(draw, "normalize_batch", "normalize() with batch normalization", BATCH),
        test(draw, "normalize_layer", "normalize() with layer normalization", LAYER),
        test(draw, "normalize_instance", "normalize() with instance normalization", INSTANCE),
        test(draw, "normalize_group", "normalize() with group normalization", group(groups)),
        Test {
            name: "epsilon",
            points: 6,
            asks: "normalize() of values so close together that ε counts, with layer normalization",
            hint: "ε is added to the variance, and the root is taken of both.",
            expects: within(TOLERANCE),
            calls: vec![call(draw, LAYER, 0.05, 1e-3), call(draw, LAYER, 0.5, 0.1)],
        },
    ]
}

fn table(draw: &mut Draw) -> Vec<Test> {
    let (shape, groups) = shape(draw);
    let outputs = groups * (groups + 1);
    let wide = [shape[0], shape[1], shape[2] + 1, shape[3] + 1];
    let usual = [BATCH, LAYER, INSTANCE, group(groups)];
    let extremes = [LAYER, group(1), INSTANCE, group(outputs), BATCH];
    let probe = probe(draw, wide, outputs);
    let changed = |change: usize| Call {
        function: "changed",
        arguments: probe.iter().cloned().chain([Value::scalar(change as f64)]).collect(),
    };
    let normalized = Call {
        function: "normalized",
        arguments: probe.iter().cloned().chain([Value::vector(group(groups).into())]).collect(),
    };
    let invariances = |draw: &mut Draw, shape: [usize; 4], outputs: usize, norms: &[[f64; 2]]| Call {
        function: "invariances",
        arguments: self::probe(draw, shape, outputs)
            .into_iter()
            .chain([Value { shape: vec![norms.len(), 2], values: norms.concat() }])
            .collect(),
    };
    vec![
        Test {
            name: "changes",
            points: 10,
            asks: "Probe::changed for each change, and Probe::normalized with group normalization",
            hint: "Row k of W holds the weights of output channel k. The first example is the first n-th of x.",
            expects: within(TOLERANCE),
            calls: (0..CHANGES).map(changed).chain([normalized]).collect(),
        },
        Test {
            name: "table",
            points: 10,
            asks: "invariances() of a convolution on images, for batch, layer, instance and group normalization",
            hint: "Compare the outputs before and after, value by value, with TOLERANCE; 1 is for unchanged.",
            expects: within(0.0),
            calls: vec![invariances(draw, wide, outputs, &usual), invariances(draw, wide, 3 * groups, &usual)],
        },
        Test {
            name: "table_extremes",
            points: 5,
            asks: "invariances() where norms coincide: one group, groups of one channel, one image, one pixel",
            hint: "No row can be known in advance: it depends on how many values share a set.",
            expects: within(0.0),
            calls: vec![
                invariances(draw, wide, outputs, &extremes),
                invariances(draw, [1, wide[1], wide[2], wide[3]], outputs, &extremes),
                invariances(draw, [6, wide[1], 1, 1], 2 * outputs, &usual),
            ],
        },
    ]
}

/// x, W, the factor, the shift and the row that is added: a layer from `shape[1]` to `outputs` channels.
fn probe(draw: &mut Draw, shape: [usize; 4], outputs: usize) -> Vec<Value> {
    vec![
        draw.normals(&shape, 1.0, 0.5),
        draw.normals(&[outputs, shape[1]], 1.0, 0.0),
        Value::scalar(draw.uniform(2.0, 4.0)),
        Value::scalar(draw.uniform(0.5, 1.5)),
        draw.normals(&[shape[1]], 1.0, 0.0),
    ]
}

/// A shape of at least two in each place, and a number of groups, each of at least two channels.
fn shape(draw: &mut Draw) -> ([usize; 4], usize) {
    let (groups, size) = (2 + draw.below(2), 2 + draw.below(2));
    // Groups of another size than their number, so that the two cannot be mistaken for each other.
    let size = if size == groups { size + 1 } else { size };
    ([2 + draw.below(3), groups * size, 2 + draw.below(2), 2 + draw.below(3)], groups)
}

fn group(groups: usize) -> [f64; 2] {
    [3.0, groups as f64]
}
