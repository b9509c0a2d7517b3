//! Every operation as one type, so that a test of all of them is written once.

use candle_core::{Device, Result, Tensor};
use normbook_ops::{
    activation::{relu, relu_composed, relu_fused, sigmoid, sigmoid_composed, sigmoid_fused},
    block::BlockInput,
    conv2d::{Windows, conv2d, conv2d_composed, conv2d_fused},
    cross_entropy::{cross_entropy, cross_entropy_composed, cross_entropy_fused},
    linear::{linear, linear_composed, linear_fused},
    normalize::{Normalization, Normalized, Epilogue, normalize_composed, normalize_then, normalize_then_fused},
    pool::{avg_pool2d, avg_pool2d_composed, avg_pool2d_fused, max_pool2d, max_pool2d_composed, max_pool2d_fused},
};

/// An operation with its settings.
#[derive(Clone, Debug)]
pub enum Op {
    Relu,
    Sigmoid,
    Linear,
    Conv2d(Windows),
    MaxPool2d(usize),
    AvgPool2d(usize),
    /// With what follows.
    Normalize(Normalization, Epilogue),
    /// A convolution, a normalization and what follows.
    Block(Windows, Normalization, Epilogue),
    /// With the classes.
    CrossEntropy(Vec<u32>),
}

/// Which function computes it.
#[derive(Clone, Copy, Debug)]
pub enum Version {
    Composed,
    Fused,
    /// The one that checks its arguments and chooses.
    Chosen,
}

pub const BOTH: [Version; 2] = [Version::Composed, Version::Fused];

impl Version {
    fn of<F>(self, [composed, fused, chosen]: [F; 3]) -> F {
        match self {
            Self::Composed => composed,
            Self::Fused => fused,
            Self::Chosen => chosen,
        }
    }
}

impl Op {
    pub fn apply(&self, version: Version, inputs: &[Tensor]) -> Result<Tensor> {
        let input = |index: usize| &inputs[index];
        match self {
            Self::Relu => version.of([relu_composed, relu_fused, relu])(input(0)),
            Self::Sigmoid => version.of([sigmoid_composed, sigmoid_fused, sigmoid])(input(0)),
            Self::Linear => version.of([linear_composed, linear_fused, linear])(input(0), input(1), input(2)),
            Self::Conv2d(windows) => {
                version.of([conv2d_composed, conv2d_fused, conv2d])(input(0), input(1), input(2), *windows)
            }
            Self::MaxPool2d(window) => {
                version.of([max_pool2d_composed, max_pool2d_fused, max_pool2d])(input(0), *window)
            }
            Self::AvgPool2d(window) => {
                version.of([avg_pool2d_composed, avg_pool2d_fused, avg_pool2d])(input(0), *window)
            }
            Self::Normalize(how, then) => {
                let normalize = version.of([normalize_then_composed, normalize_then_fused, normalize_then]);
                Ok(normalize(input(0), input(1), input(2), *how, *then)?.output)
            }
            Self::Block(windows, how, then) => {
                let [input, kernel, offset, weight, bias] = inputs else {
                    panic!("a block of {} inputs", inputs.len())
                };
                let windows = *windows;
                let normalized = match version {
                    Version::Composed => {
                        let convolved = conv2d_composed(input, kernel, offset, windows)?;
                        normalize_then_composed(&convolved, weight, bias, *how, *then)
                    }
                    // The fused version is reached through the choice alone.
                    Version::Fused | Version::Chosen => {
                        let source = BlockInput::Convolution { input, weight: kernel, bias: offset, windows };
                        source.normalize_then(weight, bias, *how, *then)
                    }
                };
                Ok(normalized?.output)
            }
            Self::CrossEntropy(classes) => {
                let classes = Tensor::new(&**classes, &Device::Cpu)?;
                version.of([cross_entropy_composed, cross_entropy_fused, cross_entropy])(input(0), &classes)
            }
        }
    }
}

fn normalize_then_composed(
    input: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    how: Normalization,
    then: Epilogue,
) -> Result<Normalized> {
    let normalized = normalize_composed(input, weight, bias, how)?;
    let mut output = normalized.output;
    if then.window > 1 {
        output = max_pool2d_composed(&output, then.window)?;
    }
    if then.relu {
        output = relu_composed(&output)?;
    }
    Ok(Normalized { output, ..normalized })
}
