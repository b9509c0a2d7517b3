//! Comparison with candle's own operations where they are right; tests that fail once candle corrects the others.

use super::{
    cases::Case,
    op::{BOTH, Op},
    pullback::{assert_close, pull, upstream, values},
};
use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_nn::{BatchNorm, Conv2d, Conv2dConfig, GroupNorm, Linear};
use normbook_ops::{
    conv2d::Windows,
    normalize::{Axes, ScaleStatistic},
};

/// Asserts that both implementations give the outputs and gradients of candle's operation.
fn agree(case: Case, of_candle: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let expected = pull(of_candle, &case.inputs(DType::F64).unwrap(), upstream).unwrap();
    for implementation in BOTH {
        assert_close(&case.pull(implementation, DType::F64), &expected, 1e-12, (&case, implementation));
    }
}

#[test]
fn activations_away_from_zero() {
    agree(Case::activation(Op::Relu, &[5, 9]), |inputs| inputs[0].relu());
    agree(Case::activation(Op::Sigmoid, &[5, 9]), |inputs| candle_nn::ops::sigmoid(&inputs[0]));
}

#[test]
fn linear() {
    agree(Case::linear([7, 5, 3]), |inputs| {
        Linear::new(inputs[1].clone(), Some(inputs[2].clone())).forward(&inputs[0])
    });
}

#[test]
fn conv2d_of_square_images() {
    for windows in [Windows { stride: 1, padding: 0 }, Windows { stride: 2, padding: 1 }] {
        let config = Conv2dConfig { stride: windows.stride, padding: windows.padding, ..Default::default() };
        agree(Case::conv2d([3, 4, 8, 8], 5, [3, 3], windows), |inputs| {
            Conv2d::new(inputs[1].clone(), Some(inputs[2].clone()), config).forward(&inputs[0])
        });
    }
}

#[test]
fn average_pooling_and_the_values_of_max_pooling() {
    agree(Case::pool(Op::AvgPool2d(3), [2, 3, 6, 9]), |inputs| inputs[0].avg_pool2d(3));
    let case = Case::pool(Op::MaxPool2d(3), [2, 3, 7, 9]);
    let maxima = case.inputs(DType::F64).unwrap()[0].max_pool2d(3).unwrap();
    for implementation in BOTH {
        assert_eq!(case.pull(implementation, DType::F64)[0], values(&maxima).unwrap());
    }
}

#[test]
fn batch_norm_and_group_norm() {
    let dims = [4, 6, 3, 5];
    agree(Case::normalize(&dims, Axes::Batch, ScaleStatistic::StandardDeviation, 1e-5), |inputs| {
        let running = |start: Tensor| start.to_dtype(DType::F64);
        let mean = running(Tensor::zeros(6, DType::F32, &Device::Cpu)?)?;
        let variance = running(Tensor::ones(6, DType::F32, &Device::Cpu)?)?;
        BatchNorm::new(6, mean, variance, inputs[1].clone(), inputs[2].clone(), 1e-5)?.forward_train(&inputs[0])
    });
    agree(Case::normalize(&dims, Axes::Groups(3), ScaleStatistic::StandardDeviation, 1e-5), |inputs| {
        GroupNorm::new(inputs[1].clone(), inputs[2].clone(), 6, 3, 1e-5)?.forward(&inputs[0])
    });
}

#[test]
fn cross_entropy() {
    let classes = vec![3, 0, 1, 1, 2];
    let targets = Tensor::new(&*classes, &Device::Cpu).unwrap();
    agree(Case::cross_entropy(classes, 4), |inputs| candle_nn::loss::cross_entropy(&inputs[0], &targets));
}

/// Fails once candle's gradient is right: then the composed convolution need not cut the images. candle assumes that
/// windows leave out the same number of columns and of rows.
#[test]
fn conv2d_of_other_images_has_no_gradient_in_candle() -> Result<()> {
    let image = Var::ones((1, 1, 3, 4), DType::F64, &Device::Cpu)?;
    let kernel = Tensor::ones((1, 1, 3, 3), DType::F64, &Device::Cpu)?;
    assert!(image.conv2d(&kernel, 0, 2, 1, 1)?.backward().is_err());
    let case = Case::conv2d([1, 1, 3, 4], 1, [3, 3], Windows { stride: 2, padding: 0 });
    for implementation in BOTH {
        assert_eq!(case.pull(implementation, DType::F64)[1].len(), 12);
    }
    Ok(())
}

/// Fails once candle's gradient is right: then our own ReLU is needed for speed alone.
/// `tests/it/candle_in_ten_minutes.rs` tests max pooling.
#[test]
fn relu_at_zero_has_a_wrong_gradient_in_candle() -> Result<()> {
    let gradient = |relu: &dyn Fn(&Tensor) -> Result<Tensor>| {
        let zero = Var::new(&[0f64], &Device::Cpu)?;
        relu(&zero)?.backward()?.get(&zero).expect("the loss depends on it").to_vec1::<f64>()
    };
    assert_eq!(gradient(&|zero| zero.relu())?, [1.0]); // PyTorch has 0
    for implementation in BOTH {
        assert_eq!(
            gradient(&|zero| Op::Relu.apply(implementation, std::slice::from_ref(zero)))?,
            [0.0],
            "{implementation:?}"
        );
    }
    Ok(())
}
