//! Operations with the shapes of their inputs: fixed and random cases.

use super::{
    op::{Implementation, Op},
    pullback::{lattice, normal, pull, upstream},
};
use candle_core::{DType, Result, Tensor};
use normbook_ops::{
    conv2d::Windows,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic},
};
use proptest::{collection::vec, prelude::*, strategy::Union};

/// An operation, and the shapes of its inputs, which are drawn from a seed.
#[derive(Clone, Debug)]
pub struct Case {
    pub op: Op,
    pub dims: Vec<Vec<usize>>,
    pub seed: u64,
}

impl Case {
    fn new<const N: usize>(op: Op, dims: [&[usize]; N]) -> Self {
        Self { op, dims: dims.map(<[usize]>::to_vec).into(), seed: 0 }
    }

    pub fn activation(op: Op, dims: &[usize]) -> Self {
        Self::new(op, [dims])
    }

    pub fn linear([examples, inputs, outputs]: [usize; 3]) -> Self {
        Self::new(Op::Linear, [&[examples, inputs], &[outputs, inputs], &[outputs]])
    }

    pub fn conv2d(input: [usize; 4], outputs: usize, [height, width]: [usize; 2], windows: Windows) -> Self {
        Self::new(Op::Conv2d(windows), [&input, &[outputs, input[1], height, width], &[outputs]])
    }

    /// Returns a convolution 3 × 3 that keeps the size of the image.
    pub fn same_conv2d(input: [usize; 4], outputs: usize) -> Self {
        Self::conv2d(input, outputs, [3, 3], Windows { stride: 1, padding: 1 })
    }

    pub fn pool(op: Op, input: [usize; 4]) -> Self {
        Self::new(op, [&input])
    }

    pub fn normalize(input: &[usize], axes: Axes, scale: ScaleStatistic, epsilon: f64) -> Self {
        Self::normalize_with_epilogue(input, Normalization { axes, scale, epsilon }, Epilogue::NOTHING)
    }

    pub fn normalize_with_epilogue(input: &[usize], config: Normalization, epilogue: Epilogue) -> Self {
        Self::new(Op::Normalize(config, epilogue), [input, &input[1..2], &input[1..2]])
    }

    /// Returns a block that begins with this convolution.
    fn and_then(self, config: Normalization, epilogue: Epilogue) -> Self {
        let Op::Conv2d(windows) = self.op else { panic!("{self:?} is no convolution") };
        let outputs = &self.dims[2];
        let dims = [&self.dims[..], &[outputs.clone(), outputs.clone()]].concat();
        Self { op: Op::Block(windows, config, epilogue), dims, ..self }
    }

    pub fn cross_entropy(classes: Vec<u32>, class_count: usize) -> Self {
        let dims = [classes.len(), class_count];
        Self::new(Op::CrossEntropy(classes), [&dims])
    }

    /// Returns the inputs: the first one a [`lattice`], the parameters normal.
    pub fn inputs(&self, dtype: DType) -> Result<Vec<Tensor>> {
        let draw = |(index, dims): (usize, &Vec<usize>)| {
            let draw = if index == 0 { lattice } else { normal };
            draw(self.seed, index as u64, dims)?.to_dtype(dtype)
        };
        self.dims.iter().enumerate().map(draw).collect()
    }

    /// Returns the tolerance for f32. A scale of few values may be small and makes rounding errors larger; in a block
    /// they add up.
    pub fn precision(&self) -> f64 {
        let values_per_set = |axes| match axes {
            Axes::Batch => self.dims[0].iter().product::<usize>() / self.dims[0][1],
            Axes::Groups(groups) => self.dims[0][1..].iter().product::<usize>() / groups,
        };
        match self.op {
            Op::Normalize(config, _) if values_per_set(config.axes) < 8 => 1e-3,
            Op::Block(..) => 1e-4,
            Op::Conv2d(_) if self.in_tiles() => 1e-4,
            _ => 1e-5,
        }
    }

    /// Returns whether the fused implementation uses Winograd's filtering, whose large terms nearly cancel.
    pub fn in_tiles(&self) -> bool {
        matches!(self.op, Op::Conv2d(_)) && self.dims[0][1] >= 64
    }

    /// Returns the output, and the gradients for a random upstream gradient.
    pub fn pull(&self, implementation: Implementation, dtype: DType) -> Vec<Vec<f64>> {
        let pulled = pull(|inputs| self.op.apply(implementation, inputs), &self.inputs(dtype).unwrap(), upstream);
        pulled.unwrap_or_else(|error| panic!("{self:?}, {implementation:?}: {error}"))
    }
}

/// ε as in PyTorch.
pub const EPSILON: f64 = 1e-5;

pub const SCALES: [ScaleStatistic; 5] = [
    ScaleStatistic::StandardDeviation,
    ScaleStatistic::MeanAbsolute,
    ScaleStatistic::RootMeanSquare,
    ScaleStatistic::MaxAbsolute,
    ScaleStatistic::Uncentered,
];

/// Returns small cases of each operation and setting.
pub fn one_of_each() -> Vec<Case> {
    let mut cases = vec![
        Case::activation(Op::Relu, &[3, 7]),
        Case::activation(Op::Sigmoid, &[2, 3, 5]),
        Case::linear([4, 5, 3]),
        Case::conv2d([2, 3, 6, 7], 4, [3, 2], Windows { stride: 1, padding: 1 }),
        Case::conv2d([2, 2, 7, 7], 3, [3, 3], Windows { stride: 2, padding: 1 }),
        Case::same_conv2d([2, 64, 5, 6], 65),
        Case::same_conv2d([17, 64, 2, 1], 64),
        Case::pool(Op::MaxPool2d(2), [2, 3, 5, 4]),
        Case::pool(Op::AvgPool2d(2), [2, 3, 4, 5]),
        Case::cross_entropy(vec![2, 0, 3, 1, 1], 4),
    ];
    for (scale, axes) in SCALES.into_iter().flat_map(|d| [(d, Axes::Batch), (d, Axes::Groups(2))]) {
        for dims in [&[5, 4][..], &[3, 4, 5], &[2, 4, 3, 2], &[5, 4, 1, 1]] {
            cases.push(Case::normalize(dims, axes, scale, 1e-3));
        }
    }
    let config = |axes| Normalization { axes, scale: ScaleStatistic::StandardDeviation, epsilon: EPSILON };
    for axes in [Axes::Batch, Axes::Groups(2)] {
        cases.push(Case::normalize_with_epilogue(&[6, 4], config(axes), Epilogue { window: 1, relu: true }));
        cases.push(Case::normalize_with_epilogue(&[2, 4, 5, 4], config(axes), Epilogue { window: 2, relu: true }));
        let convolution = Case::conv2d([2, 3, 6, 7], 4, [3, 2], Windows { stride: 1, padding: 1 });
        cases.push(convolution.and_then(config(axes), Epilogue { window: 2, relu: false }));
    }
    cases
}

/// Returns cases large enough for several parts, the last one smaller, and for several threads.
pub fn large() -> Vec<Case> {
    let mut cases = vec![
        Case::activation(Op::Relu, &[300, 400]),
        Case::activation(Op::Sigmoid, &[300, 400]),
        Case::linear([256, 384, 512]),
        Case::conv2d([9, 8, 28, 28], 16, [3, 3], Windows { stride: 1, padding: 1 }),
        Case::conv2d([9, 8, 29, 27], 16, [3, 2], Windows { stride: 2, padding: 1 }),
        Case::conv2d([37, 2, 24, 23], 3, [3, 3], Windows { stride: 1, padding: 1 }),
        Case::same_conv2d([9, 64, 16, 16], 64),
        Case::same_conv2d([37, 65, 7, 6], 64),
        Case::same_conv2d([300, 64, 10, 10], 64),
        Case::same_conv2d([2, 512, 4, 4], 512),
        Case::pool(Op::MaxPool2d(2), [9, 16, 29, 28]),
        Case::pool(Op::AvgPool2d(2), [9, 16, 29, 28]),
        Case::cross_entropy((0..20_000).map(|example| example % 10).collect(), 10),
    ];
    for scale in SCALES {
        cases.push(Case::normalize(&[9, 16, 28, 28], Axes::Batch, scale, EPSILON));
        cases.push(Case::normalize(&[9, 16, 28, 28], Axes::Groups(4), scale, EPSILON));
        cases.push(Case::normalize(&[1000, 120], Axes::Batch, scale, EPSILON));
        cases.push(Case::normalize(&[1000, 120], Axes::Groups(4), scale, EPSILON));
    }
    for axes in [Axes::Batch, Axes::Groups(4)] {
        let config = Normalization { axes, scale: ScaleStatistic::StandardDeviation, epsilon: EPSILON };
        let convolution = Case::same_conv2d([9, 8, 28, 28], 16);
        cases.push(convolution.and_then(config, Epilogue { window: 2, relu: true }));
    }
    cases
}

fn seeded(cases: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    (cases, any::<u64>().no_shrink()).prop_map(|(case, seed)| Case { seed, ..case })
}

fn choose<T: Clone + std::fmt::Debug>(options: impl IntoIterator<Item = T>) -> Union<Just<T>> {
    Union::new(options.into_iter().map(Just))
}

pub fn activations() -> impl Strategy<Value = Case> {
    let cases = (choose([Op::Relu, Op::Sigmoid]), vec(1..7usize, 0..5));
    seeded(cases.prop_map(|(op, dims)| Case::activation(op, &dims)))
}

pub fn linears() -> impl Strategy<Value = Case> {
    seeded([1..40usize, 1..40, 1..40].prop_map(Case::linear))
}

pub fn convolutions() -> impl Strategy<Value = Case> {
    let shapes = ([1..4usize, 1..5, 1..10, 1..10], 1..5usize, [1..6usize, 1..6], 1..4usize, 0..4usize);
    let any = shapes.prop_map(|([examples, channels, height, width], outputs, kernel, stride, padding)| {
        let [height, width] = [(height, kernel[0]), (width, kernel[1])]
            .map(|(size, kernel)| size.max(kernel.saturating_sub(2 * padding)));
        Case::conv2d([examples, channels, height, width], outputs, kernel, Windows { stride, padding })
    });
    let wide = ([1..20usize, 64..70, 3..10, 3..10], 64..70usize, 0..4usize);
    let wide =
        wide.prop_map(|(input, outputs, padding)| Case::conv2d(input, outputs, [3, 3], Windows { stride: 1, padding }));
    seeded(prop_oneof![7 => any, 1 => wide])
}

pub fn pools() -> impl Strategy<Value = Case> {
    let cases = (1..9usize).prop_flat_map(|window| {
        let op = choose([Op::MaxPool2d(window), Op::AvgPool2d(window)]);
        (op, [1..4usize, 1..4, window..12, window..12])
    });
    seeded(cases.prop_map(|(op, input)| Case::pool(op, input)))
}

pub fn normalizations() -> impl Strategy<Value = Case> {
    let space = prop_oneof![Just(vec![]), Just(vec![1, 1]), vec(1..7usize, 1..3)];
    let cases = (1..9usize, [1..4usize, 1..4], space, any::<bool>(), choose(SCALES), choose([1e-5, 1e-3, 0.1]));
    seeded(cases.prop_map(|(examples, [groups, channels_per_group], space, batch, scale, epsilon)| {
        let dims = [vec![examples, groups * channels_per_group], space].concat();
        Case::normalize(&dims, if batch { Axes::Batch } else { Axes::Groups(groups) }, scale, epsilon)
    }))
}

/// Normalizations with an epilogue, some after a convolution.
pub fn blocks() -> impl Strategy<Value = Case> {
    let shapes = ([2..4usize, 1..4, 4..9, 4..9], [1..3usize, 2..4], [1..5usize, 1..5], 1..3usize, 0..3usize);
    let config = (any::<bool>(), choose(SCALES), 1..3usize, any::<bool>());
    let cases = (shapes, config, any::<bool>());
    let cases =
        cases.prop_map(|((mut input, [groups, channels_per_group], kernel, stride, padding), config, convolve)| {
            let (batch, scale, window, relu) = config;
            let axes = if batch { Axes::Batch } else { Axes::Groups(groups) };
            let (config, epilogue) = (Normalization { axes, scale, epsilon: 0.1 }, Epilogue { window, relu });
            if convolve {
                let [height, width] = [0, 1].map(|axis| input[axis + 2].max(kernel[axis] + stride));
                input = [input[0], input[1], height, width];
                Case::conv2d(input, groups * channels_per_group, kernel, Windows { stride, padding })
                    .and_then(config, epilogue)
            } else {
                input[1] = groups * channels_per_group;
                Case::normalize_with_epilogue(&input, config, epilogue)
            }
        });
    seeded(cases)
}

pub fn cross_entropies() -> impl Strategy<Value = Case> {
    let cases = (1..12usize).prop_flat_map(|class_count| (vec(0..class_count as u32, 1..20), Just(class_count)));
    seeded(cases.prop_map(|(classes, class_count)| Case::cross_entropy(classes, class_count)))
}

/// Tests a property of random [`Case`]s of every operation: `$cases` of each.
macro_rules! for_every_operation {
    ($property:ident, $cases:literal) => {
        proptest::proptest! {
            #![proptest_config(proptest::test_runner::Config::with_cases($cases))]
            #[test]
            fn relu_and_sigmoid(case in $crate::ops::cases::activations()) { $property(&case) }
            #[test]
            fn linear(case in $crate::ops::cases::linears()) { $property(&case) }
            #[test]
            fn conv2d(case in $crate::ops::cases::convolutions()) { $property(&case) }
            #[test]
            fn pooling(case in $crate::ops::cases::pools()) { $property(&case) }
            #[test]
            fn normalize(case in $crate::ops::cases::normalizations()) { $property(&case) }
            #[test]
            fn cross_entropy(case in $crate::ops::cases::cross_entropies()) { $property(&case) }
        }
        proptest::proptest! {
            // The same cases each time: a random one too close to a kink would fail by chance.
            #![proptest_config(proptest::test_runner::Config {
                rng_seed: proptest::test_runner::RngSeed::Fixed(0),
                ..proptest::test_runner::Config::with_cases($cases)
            })]
            #[test]
            fn blocks(case in $crate::ops::cases::blocks()) { $property(&case) }
        }
    };
}
pub(crate) use for_every_operation;
