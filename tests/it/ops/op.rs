//! All operations as one type; a test of all of them is written once.

use candle_core::{Device, Result, Tensor};
use normbook_ops::{
    activation::{relu, relu_composed, relu_fused, sigmoid, sigmoid_composed, sigmoid_fused},
    block::BlockInput,
    conv2d::{Windows, conv2d, conv2d_composed, conv2d_fused},
    cross_entropy::{cross_entropy, cross_entropy_composed, cross_entropy_fused},
    linear::{linear, linear_composed, linear_fused},
    normalize::{
        Epilogue, Normalization, Normalized, normalize_composed, normalize_with_epilogue, normalize_with_epilogue_fused,
    },
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
    /// A normalization and an epilogue.
    Normalize(Normalization, Epilogue),
    /// A convolution, a normalization and an epilogue.
    Block(Windows, Normalization, Epilogue),
    /// The targets.
    CrossEntropy(Vec<u32>),
}

/// The function that computes an operation.
#[derive(Clone, Copy, Debug)]
pub enum Implementation {
    Composed,
    Fused,
    /// The function that checks its arguments and selects an implementation.
    Selected,
}

pub const BOTH: [Implementation; 2] = [Implementation::Composed, Implementation::Fused];

impl Implementation {
    fn of<F>(self, [composed, fused, selected]: [F; 3]) -> F {
        match self {
            Self::Composed => composed,
            Self::Fused => fused,
            Self::Selected => selected,
        }
    }
}

impl Op {
    pub fn apply(&self, implementation: Implementation, inputs: &[Tensor]) -> Result<Tensor> {
        let input = |index: usize| &inputs[index];
        match self {
            Self::Relu => implementation.of([relu_composed, relu_fused, relu])(input(0)),
            Self::Sigmoid => implementation.of([sigmoid_composed, sigmoid_fused, sigmoid])(input(0)),
            Self::Linear => implementation.of([linear_composed, linear_fused, linear])(input(0), input(1), input(2)),
            Self::Conv2d(windows) => {
                implementation.of([conv2d_composed, conv2d_fused, conv2d])(input(0), input(1), input(2), *windows)
            }
            Self::MaxPool2d(window) => {
                implementation.of([max_pool2d_composed, max_pool2d_fused, max_pool2d])(input(0), *window)
            }
            Self::AvgPool2d(window) => {
                implementation.of([avg_pool2d_composed, avg_pool2d_fused, avg_pool2d])(input(0), *window)
            }
            Self::Normalize(config, epilogue) => {
                let normalize = implementation.of([
                    normalize_with_epilogue_composed,
                    normalize_with_epilogue_fused,
                    normalize_with_epilogue,
                ]);
                Ok(normalize(input(0), input(1), input(2), *config, *epilogue)?.output)
            }
            Self::Block(windows, config, epilogue) => {
                let [input, conv_weight, conv_bias, weight, bias] = inputs else {
                    panic!("a block of {} inputs", inputs.len())
                };
                let windows = *windows;
                let normalized = match implementation {
                    Implementation::Composed => {
                        let convolved = conv2d_composed(input, conv_weight, conv_bias, windows)?;
                        normalize_with_epilogue_composed(&convolved, weight, bias, *config, *epilogue)
                    }
                    // Only the selection reaches the fused implementation.
                    Implementation::Fused | Implementation::Selected => {
                        let input = BlockInput::Convolution { input, weight: conv_weight, bias: conv_bias, windows };
                        input.normalize(weight, bias, *config, *epilogue)
                    }
                };
                Ok(normalized?.output)
            }
            Self::CrossEntropy(targets) => {
                let targets = Tensor::new(&**targets, &Device::Cpu)?;
                implementation.of([cross_entropy_composed, cross_entropy_fused, cross_entropy])(input(0), &targets)
            }
        }
    }
}

fn normalize_with_epilogue_composed(
    input: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    config: Normalization,
    epilogue: Epilogue,
) -> Result<Normalized> {
    let normalized = normalize_composed(input, weight, bias, config)?;
    let mut output = normalized.output;
    if epilogue.window > 1 {
        output = max_pool2d_composed(&output, epilogue.window)?;
    }
    if epilogue.relu {
        output = relu_composed(&output)?;
    }
    Ok(Normalized { output, ..normalized })
}
