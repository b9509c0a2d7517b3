//! Convolutional nets: 3 × 3 convolutions with padding 1 and 2 × 2 max pooling, then one linear layer.

use super::{
    Net,
    layer::{Activation, Hidden, Layer},
};
use crate::norm::{Kind, Mode};
use crate::seed::Stream;
use candle_core::{Device, Result, Tensor, Var, bail};

/// A stage of the net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A convolution to so many channels, normalization, ReLU.
    Convolution(usize),
    /// Halves height and width.
    Pool,
}

use Stage::{Convolution as Conv, Pool};

/// The small net of the book: for `[N, 1, 28, 28]`.
pub const SMALL: [Stage; 6] = [Conv(16), Pool, Conv(32), Pool, Conv(64), Pool];

/// VGG-A (Simonyan & Zisserman 2015, arXiv:1409.1556, table 1, column A), for `[N, 3, 32, 32]`: with 32 pixels a side five
/// poolings leave one, so that one linear layer takes the place of three.
pub const VGG_A: [Stage; 13] = [
    Conv(64),
    Pool,
    Conv(128),
    Pool,
    Conv(256),
    Conv(256),
    Pool,
    Conv(512),
    Conv(512),
    Pool,
    Conv(512),
    Conv(512),
    Pool,
];

/// Shape of a net's images, and what it tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub classes: usize,
}

/// The net.
pub struct Convolutional {
    /// The layers, and whether a pooling follows.
    layers: Vec<(Layer, bool)>,
    head: Layer,
}

impl Convolutional {
    /// Draws the weights from `init`, stage by stage.
    pub fn new(stages: &[Stage], norm: Kind, task: Task, init: &mut Stream, device: &Device) -> Result<Self> {
        let Task { mut channels, mut height, mut width, classes } = task;
        let then = Hidden { norm, activation: Activation::Relu };
        let mut layers: Vec<(Layer, bool)> = Vec::new();
        for stage in stages {
            match (*stage, layers.last_mut()) {
                (Conv(outputs), _) => {
                    layers.push((Layer::convolution(channels, outputs, 3, then, init, device)?, false));
                    channels = outputs;
                }
                (Pool, Some((_, pooled))) if !*pooled => {
                    *pooled = true;
                    (height, width) = (height / 2, width / 2);
                }
                (Pool, _) => bail!("a pooling follows a convolution"),
            }
        }
        let then = Hidden { norm: Kind::None, activation: Activation::Identity };
        let head = Layer::linear(channels * height * width, classes, then, init, device)?;
        Ok(Self { layers, head })
    }
}

impl Net for Convolutional {
    /// `[N, C, H, W] -> [N, classes]`: the logits.
    fn forward(&self, inputs: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut images = inputs.clone();
        for (layer, pooled) in &self.layers {
            images = if *pooled { layer.forward_pooled(&images, 2, mode)? } else { layer.forward(&images, mode)? };
        }
        self.head.forward(&images.flatten_from(1)?, mode)
    }

    fn parameters(&self) -> Vec<Var> {
        self.layers.iter().map(|(layer, _)| layer).chain([&self.head]).flat_map(Layer::parameters).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::cross_entropy::cross_entropy;
    use crate::seed::{Purpose, Seed};

    fn check(stages: &[Stage], task: Task) {
        for norm in [Kind::None, Kind::Batch, Kind::Group(8)] {
            let mut stream = Seed(0).stream(Purpose::Init, 0);
            let net = Convolutional::new(stages, norm, task, &mut stream, &Device::Cpu).unwrap();
            let images = stream.normal_tensor((2, task.channels, task.height, task.width), 1.0, &Device::Cpu).unwrap();
            let logits = net.forward(&images, Mode::Train).unwrap();
            assert_eq!(logits.dims(), [2, task.classes]);
            let classes = Tensor::new(&[1u32, 3], &Device::Cpu).unwrap();
            let gradients = cross_entropy(&logits, &classes).unwrap().backward().unwrap();
            for parameter in net.parameters() {
                let gradient = gradients.get(&parameter).expect("every parameter has a gradient");
                assert_eq!(gradient.dims(), parameter.dims());
            }
            assert_eq!(net.forward(&images, Mode::Eval).unwrap().dims(), [2, task.classes]);
        }
    }

    #[test]
    fn the_nets_have_the_shapes_of_their_tasks() {
        check(&SMALL, Task { channels: 1, height: 28, width: 28, classes: 10 });
        check(&VGG_A, Task { channels: 3, height: 32, width: 32, classes: 10 });
    }
}
