//! candle's own operations where they are right, and a watch over those that are not.

use crate::{
    cases::Case,
    op::{BOTH, Op},
    pullback::{assert_close, pull, upstream, values},
};
use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_nn::{BatchNorm, Conv2d, Conv2dConfig, GroupNorm, Linear};
use normbook_ops::{
    conv2d::Windows,
    normalize::{ScaleStatistic, Axes},
};

/// Outputs and gradients.
fn agree(case: Case, of_candle: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let expected = pull(of_candle, &case.inputs(DType::F64).unwrap(), upstream).unwrap();
    for version in BOTH {
        assert_close(&case.pull(version, DType::F64), &expected, 1e-12, (&case, version));
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
    for version in BOTH {
        assert_eq!(case.pull(version, DType::F64)[0], values(&maxima).unwrap());
    }
}

#[test]
fn batch_norm_and_group_norm() {
    let dims = [4, 6, 3, 5];
    agree(Case::normalize(&dims, Axes::Batch, ScaleStatistic::Deviation, 1e-5), |inputs| {
        let running = |start: Tensor| start.to_dtype(DType::F64);
        let mean = running(Tensor::zeros(6, DType::F32, &Device::Cpu)?)?;
        let variance = running(Tensor::ones(6, DType::F32, &Device::Cpu)?)?;
        BatchNorm::new(6, mean, variance, inputs[1].clone(), inputs[2].clone(), 1e-5)?.forward_train(&inputs[0])
    });
    agree(Case::normalize(&dims, Axes::Groups(3), ScaleStatistic::Deviation, 1e-5), |inputs| {
        GroupNorm::new(inputs[1].clone(), inputs[2].clone(), 6, 3, 1e-5)?.forward(&inputs[0])
    });
}

#[test]
fn cross_entropy() {
    let classes = vec![3, 0, 1, 1, 2];
    let targets = Tensor::new(&*classes, &Device::Cpu).unwrap();
    agree(Case::cross_entropy(classes, 4), |inputs| candle_nn::loss::cross_entropy(&inputs[0], &targets));
}

/// Fails once candle's gradient is right: then the composed convolution need do nothing by itself. candle takes the
/// columns that no window reaches to be as many as the rows.
#[test]
fn conv2d_of_other_images_has_no_gradient_in_candle() -> Result<()> {
    let image = Var::ones((1, 1, 3, 4), DType::F64, &Device::Cpu)?;
    let kernel = Tensor::ones((1, 1, 3, 3), DType::F64, &Device::Cpu)?;
    assert!(image.conv2d(&kernel, 0, 2, 1, 1)?.backward().is_err());
    let case = Case::conv2d([1, 1, 3, 4], 1, [3, 3], Windows { stride: 2, padding: 0 });
    for version in BOTH {
        assert_eq!(case.pull(version, DType::F64)[1].len(), 12);
    }
    Ok(())
}

/// Fails once candle's gradient is right: then our own ReLU is needed for speed alone. For max pooling
/// `tests/candle_in_ten_minutes.rs` watches.
#[test]
fn relu_at_zero_has_a_wrong_gradient_in_candle() -> Result<()> {
    let gradient = |relu: &dyn Fn(&Tensor) -> Result<Tensor>| {
        let zero = Var::new(&[0f64], &Device::Cpu)?;
        relu(&zero)?.backward()?.get(&zero).expect("the loss depends on it").to_vec1::<f64>()
    };
    assert_eq!(gradient(&|zero| zero.relu())?, [1.0]); // PyTorch has 0
    for version in BOTH {
        assert_eq!(gradient(&|zero| Op::Relu.apply(version, std::slice::from_ref(zero)))?, [0.0], "{version:?}");
    }
    Ok(())
}
