//! Invalid arguments are errors of one sentence, from the function that selects the implementation.

use super::op::{Implementation, Op};
use candle_core::{DType, Device, Tensor, Var};
use normbook_ops::{
    conv2d::Windows,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic},
    sgd,
};

fn zeros(dims: &[usize], dtype: DType) -> Tensor {
    Tensor::zeros(dims, dtype, &Device::Cpu).unwrap()
}

/// Returns the error's sentence for inputs of these shapes.
fn error(op: &Op, dims: &[&[usize]]) -> String {
    let inputs: Vec<Tensor> = dims.iter().map(|dims| zeros(dims, DType::F32)).collect();
    let error = op.apply(Implementation::Selected, &inputs).expect_err(&format!("{op:?} of {dims:?}")).to_string();
    error.lines().next().unwrap_or_default().to_owned() // a backtrace may follow
}

fn conv2d(stride: usize, padding: usize) -> Op {
    Op::Conv2d(Windows { stride, padding })
}

fn normalize_and_pool(axes: Axes, window: usize) -> Op {
    let config = Normalization { axes, scale: ScaleStatistic::StandardDeviation, epsilon: 1e-5 };
    Op::Normalize(config, Epilogue { window, relu: false })
}

fn normalize(axes: Axes) -> Op {
    normalize_and_pool(axes, 1)
}

#[test]
fn an_error_names_an_empty_batch() {
    let cases: [(Op, &[&[usize]]); 7] = [
        (Op::Linear, &[&[0, 3], &[2, 3], &[2]]),
        (conv2d(1, 1), &[&[0, 3, 5, 5], &[2, 3, 3, 3], &[2]]),
        (Op::MaxPool2d(2), &[&[0, 3, 4, 4]]),
        (Op::AvgPool2d(2), &[&[0, 3, 4, 4]]),
        (normalize(Axes::Batch), &[&[0, 3], &[3], &[3]]),
        (normalize(Axes::Groups(1)), &[&[0, 3, 4, 4], &[3], &[3]]),
        (Op::CrossEntropy(vec![]), &[&[0, 3]]),
    ];
    for (op, dims) in cases {
        let error = error(&op, dims);
        assert!(error.contains("empty") && error.contains(&format!("{:?}", dims[0])), "{op:?}: {error}");
    }
    for op in [Op::Relu, Op::Sigmoid] {
        let output = op.apply(Implementation::Selected, &[zeros(&[0, 3], DType::F32)]).unwrap();
        assert_eq!(output.dims(), [0, 3]); // elementwise operations take an empty batch
    }
}

/// Each sentence names the wrong value.
#[test]
fn shapes_that_do_not_match() {
    let image: &[usize] = &[2, 3, 5, 6];
    let cases: [(Op, &[&[usize]], &str); 20] = [
        (Op::Linear, &[&[4, 3], &[2, 5], &[2]], "[2, 5]"),
        (Op::Linear, &[&[4, 3], &[2, 3], &[3]], "[3]"),
        (Op::Linear, &[&[3], &[2, 3], &[2]], "[3]"),
        (conv2d(1, 0), &[image, &[2, 4, 3, 3], &[2]], "[2, 4, 3, 3]"),
        (conv2d(1, 0), &[image, &[2, 3, 3, 3], &[3]], "[3]"),
        (conv2d(1, 0), &[&[3, 5, 6], &[2, 3, 3, 3], &[2]], "[3, 5, 6]"),
        (conv2d(1, 0), &[image, &[2, 3, 6, 3], &[2]], "6 × 3"),
        (conv2d(1, 1), &[image, &[2, 3, 3, 9], &[2]], "3 × 9"),
        (conv2d(0, 0), &[image, &[2, 3, 3, 3], &[2]], "stride is 0"),
        (Op::MaxPool2d(0), &[image], "window of 0"),
        (Op::MaxPool2d(6), &[image], "window of 6"),
        (Op::AvgPool2d(16), &[&[1, 1, 20, 20]], "window of 16"),
        (Op::AvgPool2d(2), &[&[3, 5, 6]], "[3, 5, 6]"),
        (normalize(Axes::Batch), &[image, &[2], &[3]], "[2]"),
        (normalize(Axes::Batch), &[&[3], &[3], &[3]], "[3]"),
        (normalize(Axes::Groups(0)), &[image, &[3], &[3]], "0 groups"),
        (normalize(Axes::Groups(2)), &[image, &[3], &[3]], "2 groups of 3"),
        (normalize_and_pool(Axes::Batch, 6), &[image, &[3], &[3]], "window of 6"),
        (normalize_and_pool(Axes::Batch, 2), &[&[4, 3], &[3], &[3]], "[4, 3]"),
        (Op::CrossEntropy(vec![0, 1, 2]), &[&[4, 3]], "[4, 3]"),
    ];
    for (op, dims, wrong) in cases {
        let error = error(&op, dims);
        assert!(error.contains(wrong), "{op:?} of {dims:?}: {error}");
    }
}

#[test]
fn a_class_out_of_range() {
    let error = error(&Op::CrossEntropy(vec![1, 3]), &[&[2, 3]]);
    assert!(error.contains("class 3 of 3"), "{error}");
}

#[test]
fn types_that_differ() {
    let [weight, bias] = [zeros(&[2, 3], DType::F64), zeros(&[2], DType::F64)];
    let error = Op::Linear.apply(Implementation::Selected, &[zeros(&[4, 3], DType::F32), weight, bias]).unwrap_err();
    assert!(error.to_string().contains("dtype"), "{error}");
}

#[test]
fn a_step_of_sgd_with_another_shape() {
    let weight = Var::from_tensor(&zeros(&[2, 3], DType::F32)).unwrap();
    let hyperparameters = sgd::Hyperparameters { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.0 };
    let [right, wrong] = [zeros(&[2, 3], DType::F32), zeros(&[3, 2], DType::F32)];
    for (gradient, velocity) in [(&wrong, None), (&wrong, Some(&right)), (&right, Some(&wrong))] {
        let error = sgd::step(&weight, gradient, velocity, hyperparameters).unwrap_err().to_string();
        assert!(error.contains("[2, 3]") && error.contains("[3, 2]"), "{error}");
    }
}
