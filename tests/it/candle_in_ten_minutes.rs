//! The code of the page "candle in ten minutes".

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::optim::{Optimizer, SGD};

#[test]
fn tensors() -> Result<()> {
    // ANCHOR: tensors
    let inputs = Tensor::new(&[[1f32, 100.0], [2.0, 300.0]], &Device::Cpu)?; // [N, D] = [2, 2]
    let mean = inputs.mean_keepdim(0)?; // over the examples: [1, 2]
    let centred = inputs.broadcast_sub(&mean)?;
    assert_eq!(centred.to_vec2::<f32>()?, [[-0.5, -100.0], [0.5, 100.0]]);
    // ANCHOR_END: tensors
    Ok(())
}

#[test]
fn gradients() -> Result<()> {
    // ANCHOR: gradients
    let weight = Var::new(&[3f32], &Device::Cpu)?;
    let loss = weight.sqr()?.sum_all()?; // w²
    let gradients = loss.backward()?;
    let gradient = gradients.get(&weight).expect("the loss depends on it");
    assert_eq!(gradient.to_vec1::<f32>()?, [6.0]); // 2w
    // ANCHOR_END: gradients
    Ok(())
}

#[test]
fn training() -> Result<()> {
    // ANCHOR: training
    let weight = Var::new(&[3f32], &Device::Cpu)?;
    let mut optimizer = SGD::new(vec![weight.clone()], 0.25)?;
    for _ in 0..20 {
        optimizer.backward_step(&weight.sqr()?.sum_all()?)?; // w ← w − 0.25 · 2w
    }
    assert!(weight.to_vec1::<f32>()?[0] < 1e-5);
    // ANCHOR_END: training
    Ok(())
}

/// Fails once candle's gradient is right: then the page and our own pooling can go.
#[test]
fn max_pooling_has_a_wrong_gradient() -> Result<()> {
    // ANCHOR: trap
    let image = Var::new(&[[[[1f32, 2.0], [3.0, 4.0]]]], &Device::Cpu)?; // [N, C, H, W] = [1, 1, 2, 2]
    let gradients = image.max_pool2d(2)?.sum_all()?.backward()?;
    let gradient = gradients.get(&image).expect("the loss depends on it").flatten_all()?;
    assert_eq!(gradient.to_vec1::<f32>()?, [0.0, 0.0, 0.0, 0.25]); // right would be [0, 0, 0, 1]
    // ANCHOR_END: trap
    Ok(())
}
