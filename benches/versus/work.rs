//! The nets to time and the batch that each sees, from seed 0.

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor, Var};
use clap::{Args, ValueEnum};
use normbook::net::convolutional::{Convolutional, SMALL, Task, VGG_A};
use normbook::net::layer::{Activation, BlockConfig, Init, Layer, Weights};
use normbook::net::mlp::Mlp;
use normbook::net::{Net, Watch};
use normbook::norm::batch::{BatchNorm, Config};
use normbook::norm::{Norm, NormKind, Pass};
use normbook_lab::seed::{Purpose, Seed, Stream};
use std::collections::HashMap;
use std::path::Path;

const CLASSES: usize = 10;

/// A net and how many examples it sees.
#[derive(Args, Clone, Copy)]
pub struct Work {
    #[arg(long)]
    pub net: Architecture,
    /// `none`, `batch`, or `group:G`
    #[arg(long, default_value = "none")]
    pub norm: NormKind,
    #[arg(long)]
    pub batch: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Architecture {
    /// 784-100-100-100-10, sigmoid
    Mlp,
    /// 20 linear layers of width 100, ReLU
    DeepMlp,
    /// 25 linear layers of width 10, mean squared error
    DeepLinear,
    /// The small convolutional net
    Cnn,
    /// VGG-A
    Vgg,
    /// BatchNorm alone, on 64 × 32 × 32
    #[value(name = "batch-norm-2d")]
    BatchNorm2d,
}

/// What a net is trained on.
pub struct Batch {
    pub inputs: Tensor,
    /// Classes, or numbers of the output's shape.
    pub targets: Tensor,
}

impl Work {
    /// The net as it starts.
    pub fn net(self) -> Result<Box<dyn Net>> {
        let stream = &mut stream(Purpose::Init);
        let init = Init { weights: Weights::Glorot, stream, device: &Device::Cpu };
        Ok(match self.net {
            Architecture::Mlp => self.mlp(&[784, 100, 100, 100, CLASSES], Activation::Sigmoid, init)?,
            Architecture::DeepMlp => {
                let widths = [&[784][..], &[100; 19], &[CLASSES]].concat();
                self.mlp(&widths, Activation::Relu, init)?
            }
            Architecture::DeepLinear => self.mlp(&[10; 26], Activation::Identity, init)?,
            Architecture::Cnn => {
                let task = Task { channels: 1, height: 28, width: 28, classes: CLASSES };
                Box::new(Convolutional::new(&SMALL, BlockConfig::new(self.norm, Activation::Relu), task, init)?)
            }
            Architecture::Vgg => {
                let task = Task { channels: 3, height: 32, width: 32, classes: CLASSES };
                Box::new(Convolutional::new(&VGG_A, BlockConfig::new(self.norm, Activation::Relu), task, init)?)
            }
            Architecture::BatchNorm2d => {
                Box::new(Alone(BatchNorm::new(64, Config::default(), DType::F32, &Device::Cpu)?))
            }
        })
    }

    fn mlp(self, widths: &[usize], activation: Activation, init: Init) -> Result<Box<dyn Net>> {
        Ok(Box::new(Mlp::new(widths, BlockConfig::new(self.norm, activation), init)?))
    }

    /// Inputs and, where numbers are the targets, these too are independent and normal.
    pub fn batch(self) -> Result<Batch> {
        let noise = &mut stream(Purpose::Noise);
        let mut normal =
            |example: &[usize]| noise.normal_tensor([&[self.batch][..], example].concat(), 1.0, &Device::Cpu);
        let classes = || {
            let classes: Vec<u32> = (0..self.batch).map(|example| (example % CLASSES) as u32).collect();
            Tensor::new(classes, &Device::Cpu)
        };
        let (inputs, targets) = match self.net {
            Architecture::Mlp | Architecture::DeepMlp => (normal(&[784])?, classes()?),
            Architecture::DeepLinear => (normal(&[10])?, normal(&[10])?),
            Architecture::Cnn => (normal(&[1, 28, 28])?, classes()?),
            Architecture::Vgg => (normal(&[3, 32, 32])?, classes()?),
            // Its gradient is asked for.
            Architecture::BatchNorm2d => {
                (Var::from_tensor(&normal(&[64, 32, 32])?)?.as_tensor().clone(), normal(&[64, 32, 32])?)
            }
        };
        Ok(Batch { inputs, targets })
    }

    /// Writes the weights and the batch.
    pub fn write_start(self, file: &Path) -> Result<()> {
        let parameters = self.net()?.parameters();
        let mut tensors: HashMap<String, Tensor> =
            parameters.iter().enumerate().map(|(index, var)| (index.to_string(), var.as_tensor().clone())).collect();
        let Batch { inputs, targets } = self.batch()?;
        tensors.extend([("inputs".into(), inputs), ("targets".into(), targets)]);
        candle_core::safetensors::save(&tensors, file).with_context(|| format!("cannot write {}", file.display()))
    }
}

fn stream(purpose: Purpose) -> Stream {
    Seed(0).stream(purpose, 0)
}

/// A normalization as a net.
struct Alone(BatchNorm);

impl Net for Alone {
    fn forward(&self, inputs: &Tensor, pass: Pass) -> candle_core::Result<Tensor> {
        self.0.forward(inputs, pass)
    }

    fn forward_watched(&self, inputs: &Tensor, pass: Pass, _: Watch) -> candle_core::Result<Tensor> {
        self.forward(inputs, pass)
    }

    fn layers(&self) -> Vec<&Layer> {
        Vec::new()
    }

    fn parameters(&self) -> Vec<Var> {
        self.0.parameters()
    }
}
