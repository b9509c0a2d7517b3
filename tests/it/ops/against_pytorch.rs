//! Comparison with golden values of PyTorch, which `golden.py` computes.

use super::{
    cases::EPSILON,
    op::{BOTH, Op},
    pullback::{assert_close, pull, values},
};
use candle_core::{DType, Device, Result, Tensor};
use normbook::norm::{
    Norm, Pass,
    batch::{BatchNorm, Config},
};
use normbook_ops::{
    conv2d::Windows,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic},
};
use serde::Deserialize;

/// The file `golden.json`.
#[derive(Deserialize)]
pub struct Golden {
    pulled: Vec<Pulled>,
    running: Running,
    pub sgd: Vec<Descent>,
}

/// An array with its dimensions.
#[derive(Deserialize)]
pub struct Array {
    dims: Vec<usize>,
    pub values: Vec<f64>,
}

/// An operation with its output and gradients.
#[derive(Deserialize)]
struct Pulled {
    name: String,
    op: Torch,
    inputs: Vec<Array>,
    upstream: Array,
    output: Array,
    gradients: Vec<Array>,
}

/// An operation, by its name in PyTorch.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Torch {
    Relu {},
    Sigmoid {},
    Linear {},
    Conv2d { stride: usize, padding: usize },
    MaxPool2d { window: usize },
    AvgPool2d { window: usize },
    BatchNorm { scale: Scale },
    GroupNorm { groups: usize, scale: Scale },
    CrossEntropy { classes: Vec<u32> },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scale {
    StandardDeviation,
    MeanAbsolute,
    RootMeanSquare,
    MaxAbsolute,
}

/// A training step of batch normalization: the moving averages after it, and an output in evaluation.
#[derive(Deserialize)]
struct Running {
    input: Array,
    weight: Array,
    bias: Array,
    mean: Array,
    variance: Array,
    evaluated: Array,
}

/// Steps of stochastic gradient descent.
#[derive(Deserialize)]
pub struct Descent {
    pub learning_rate: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    pub start: Array,
    pub gradients: Vec<Array>,
    /// The weight after each step.
    pub weights: Vec<Array>,
}

impl Array {
    pub fn tensor(&self, dtype: DType) -> Result<Tensor> {
        Tensor::new(&*self.values, &Device::Cpu)?.reshape(&*self.dims)?.to_dtype(dtype)
    }
}

impl Torch {
    fn op(self) -> Op {
        let normalize = |axes, scale| {
            let scale = match scale {
                Scale::StandardDeviation => ScaleStatistic::StandardDeviation,
                Scale::MeanAbsolute => ScaleStatistic::MeanAbsolute,
                Scale::RootMeanSquare => ScaleStatistic::RootMeanSquare,
                Scale::MaxAbsolute => ScaleStatistic::MaxAbsolute,
            };
            Op::Normalize(Normalization { axes, scale, epsilon: EPSILON }, Epilogue::NOTHING)
        };
        match self {
            Self::Relu {} => Op::Relu,
            Self::Sigmoid {} => Op::Sigmoid,
            Self::Linear {} => Op::Linear,
            Self::Conv2d { stride, padding } => Op::Conv2d(Windows { stride, padding }),
            Self::MaxPool2d { window } => Op::MaxPool2d(window),
            Self::AvgPool2d { window } => Op::AvgPool2d(window),
            Self::BatchNorm { scale } => normalize(Axes::Batch, scale),
            Self::GroupNorm { groups, scale } => normalize(Axes::Groups(groups), scale),
            Self::CrossEntropy { classes } => Op::CrossEntropy(classes),
        }
    }
}

pub fn golden() -> Golden {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

/// The precisions with their tolerances.
pub const PRECISIONS: [(DType, f64); 2] = [(DType::F64, 1e-10), (DType::F32, 1e-5)];

#[test]
fn outputs_and_gradients() {
    let all = golden().pulled;
    assert!(all.len() > 15);
    for Pulled { name, op, inputs, upstream, output, gradients } in all {
        let op = op.op();
        let expected: Vec<Vec<f64>> = std::iter::once(output).chain(gradients).map(|array| array.values).collect();
        for (dtype, tolerance) in PRECISIONS {
            let inputs: Vec<Tensor> = inputs.iter().map(|input| input.tensor(dtype).unwrap()).collect();
            for implementation in BOTH {
                let found =
                    pull(|inputs| op.apply(implementation, inputs), &inputs, |_| upstream.tensor(dtype)).unwrap();
                assert_close(&found, &expected, tolerance, (&name, implementation, dtype));
            }
        }
    }
}

#[test]
fn moving_averages_of_batch_norm() -> Result<()> {
    let Running { input, weight, bias, mean, variance, evaluated } = golden().running;
    let layer = BatchNorm::new(weight.values.len(), Config::default(), DType::F32, &Device::Cpu)?;
    for (parameter, start) in layer.parameters().iter().zip([&weight, &bias]) {
        parameter.set(&start.tensor(DType::F32)?)?;
    }
    let input = input.tensor(DType::F32)?;
    layer.forward(&input, Pass::TRAIN)?;
    let found = layer.forward(&input, Pass::EVAL)?;
    assert_close(&[values(&found)?], &[evaluated.values], 1e-5, "evaluation");

    // The output at the running mean is the bias; one running standard deviation above it, bias plus weight.
    let per_channel = |values: &Array| values.tensor(DType::F32)?.reshape((1, (), 1, 1));
    let deviation = (per_channel(&variance)? + EPSILON)?.sqrt()?;
    for (at, expected) in
        [(per_channel(&mean)?, &bias.values), ((per_channel(&mean)? + deviation)?, &sums(&weight, &bias))]
    {
        let found = layer.forward(&at, Pass::EVAL)?;
        assert_close(&[values(&found)?], std::slice::from_ref(expected), 1e-5, "moving averages");
    }
    Ok(())
}

fn sums(first: &Array, second: &Array) -> Vec<f64> {
    first.values.iter().zip(&second.values).map(|(first, second)| first + second).collect()
}
