//! Convolutional nets: 3 × 3 convolutions with padding 1 and 2 × 2 max pooling, then one linear layer.

use super::{
    Net, Watch,
    layer::{BlockConfig, Init, Layer},
};
use crate::norm::Pass;
use candle_core::{Result, Tensor, bail};
use serde::Serialize;

/// A stage of the net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A convolution to so many channels, normalization, activation.
    Convolution(usize),
    /// Halves height and width.
    Pool,
}

use Stage::{Convolution as Conv, Pool};

/// The small net of the book: for `[N, 1, 28, 28]`.
pub const SMALL: [Stage; 6] = [Conv(16), Pool, Conv(32), Pool, Conv(64), Pool];

/// Half as wide, for chapters that train many.
pub const SMALL_CNN: [Stage; 6] = [Conv(8), Pool, Conv(16), Pool, Conv(32), Pool];

/// VGG-A (Simonyan & Zisserman 2015, arXiv:1409.1556, table 1, column A), for `[N, 3, 32, 32]`: with 32 pixels a side
/// five poolings leave one, so that one linear layer takes the place of three.
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

/// The net for images of this shape, `[C, H, W]`: VGG-A where they have CIFAR-10's, none of its own for others.
pub fn of_images(shape: [usize; 3]) -> Option<&'static [Stage]> {
    (shape == [3, 32, 32]).then_some(&VGG_A)
}

/// The channels of each convolution.
pub fn channels(stages: &[Stage]) -> Vec<usize> {
    let channels = |stage: &Stage| if let Conv(channels) = stage { Some(*channels) } else { None };
    stages.iter().filter_map(channels).collect()
}

/// Shape of a net's images, and what it tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub classes: usize,
}

/// The net.
pub struct Convolutional {
    /// The convolutions, and the side of the windows that each is pooled over (1: none).
    layers: Vec<(Layer, usize)>,
    head: Layer,
}

impl Convolutional {
    /// `hidden` follows each convolution. Errors on a pooling that follows none.
    pub fn new(stages: &[Stage], hidden: BlockConfig, task: Task, mut init: Init) -> Result<Self> {
        let Task { mut channels, mut height, mut width, classes } = task;
        let mut layers: Vec<(Layer, usize)> = Vec::new();
        for stage in stages {
            match (*stage, layers.last_mut()) {
                (Conv(outputs), _) => {
                    layers.push((Layer::convolution(channels, outputs, 3, hidden, &mut init)?, 1));
                    channels = outputs;
                }
                (Pool, Some((_, window @ 1))) => {
                    *window = 2;
                    (height, width) = (height / 2, width / 2);
                }
                (Pool, _) => bail!("a pooling follows a convolution"),
            }
        }
        let head = Layer::linear(channels * height * width, classes, BlockConfig::LINEAR, &mut init)?;
        Ok(Self { layers, head })
    }
}

impl Net for Convolutional {
    /// `[N, C, H, W] -> [N, classes]`: the logits.
    fn forward(&self, inputs: &Tensor, pass: Pass) -> Result<Tensor> {
        let mut images = inputs.clone();
        for (index, (layer, window)) in self.layers.iter().enumerate() {
            images = layer.forward_pooled(&images, *window, pass.of_layer(index))?;
        }
        self.head.forward(&images.flatten_from(1)?, pass.of_layer(self.layers.len()))
    }

    fn forward_watched(&self, inputs: &Tensor, pass: Pass, watch: Watch) -> Result<Tensor> {
        let mut images = inputs.clone();
        for (index, (layer, window)) in self.layers.iter().enumerate() {
            let of_layer = |place, tensor: &Tensor| watch(index, place, tensor);
            images = layer.forward_watched(&images, *window, pass.of_layer(index), of_layer)?;
        }
        let last = self.layers.len();
        let of_head = |place, tensor: &Tensor| watch(last, place, tensor);
        self.head.forward_watched(&images.flatten_from(1)?, 1, pass.of_layer(last), of_head)
    }

    fn layers(&self) -> Vec<&Layer> {
        self.layers.iter().map(|(layer, _)| layer).chain([&self.head]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::layer::{Activation, Weights};
    use crate::norm::NormKind;
    use candle_core::Device;
    use normbook_lab::seed::{Purpose, Seed};
    use normbook_ops::cross_entropy::cross_entropy;

    fn check(stages: &[Stage], task: Task, norms: &[&str]) {
        for norm in norms.iter().map(|norm| norm.parse::<NormKind>().unwrap()) {
            let mut stream = Seed(0).stream(Purpose::Init, 0);
            let init = Init { weights: Weights::Glorot, stream: &mut stream, device: &Device::Cpu };
            let net = Convolutional::new(stages, BlockConfig::new(norm, Activation::Relu), task, init).unwrap();
            let images = stream.normal_tensor((2, task.channels, task.height, task.width), 1.0, &Device::Cpu).unwrap();
            let logits = net.forward(&images, Pass::TRAIN).unwrap();
            assert_eq!(logits.dims(), [2, task.classes]);
            let classes = Tensor::new(&[1u32, 3], &Device::Cpu).unwrap();
            let gradients = cross_entropy(&logits, &classes).unwrap().backward().unwrap();
            for parameter in net.parameters() {
                let gradient =
                    gradients.get(&parameter).unwrap_or_else(|| panic!("{norm}: a parameter without a gradient"));
                assert_eq!(gradient.dims(), parameter.dims());
            }
            assert_eq!(net.forward(&images, Pass::EVAL).unwrap().dims(), [2, task.classes]);
        }
    }

    #[test]
    fn the_nets_have_the_shapes_of_their_tasks() {
        let norms = ["none", "batch", "group:8"];
        let others = ["layer", "instance", "rms", "renorm:3:5:0", "frn", "dyt", "mean", "weight:mean", "spectral"];
        let small = Task { channels: 1, height: 28, width: 28, classes: 10 };
        check(&SMALL, small, &[&norms[..], &others].concat());
        check(&VGG_A, Task { channels: 3, height: 32, width: 32, classes: 10 }, &norms);
    }
}
