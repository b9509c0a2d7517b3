//! A data set for classification as nets take it.

use super::images::{DataSet, Images, Source};
use anyhow::{Result, ensure};
use candle_core::{DType, Device, Tensor, bail};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Images in memory, shared by all trials that read them.
#[derive(Clone)]
pub struct Dataset {
    stamps: BTreeMap<String, String>,
    images: Arc<DataSet>,
    /// Training images that are taken, from the first on; none: all.
    train_images: Option<usize>,
    contrast_is_class: bool,
}

/// What a network is to give for each input.
#[derive(Clone)]
pub enum Targets {
    /// `[N]`, u32: the class.
    Classes(Tensor),
    /// `[N, outputs]`: the outputs.
    Values(Tensor),
}

/// Examples on a device.
#[derive(Clone)]
pub struct Split {
    /// `[N, ..]`. Images are `[N, C, H, W]`, f32, standardized: over all pixels of the training images the mean is 0
    /// and the standard deviation 1.
    pub inputs: Tensor,
    pub targets: Targets,
}

/// Classes of the set.
pub const CLASSES: usize = 10;

impl Dataset {
    /// Unpacks and checks the files. Errors name the file and the cause.
    pub fn new(files: &impl Source) -> Result<Self> {
        Ok(Self {
            stamps: files.stamps(),
            images: Arc::new(files.load()?),
            train_images: None,
            contrast_is_class: false,
        })
    }

    /// With the first so many training images alone, standardised as before. Errors if there are not so many.
    pub fn with_train_images(self, count: usize) -> Result<Self> {
        let there = self.images.train.len();
        ensure!(
            (1..=there).contains(&count),
            "--train-images {count}: the data has {there} training images; give a number from 1 to {there}"
        );
        Ok(Self { train_images: Some(count), ..self })
    }

    /// With each image n at a contrast of its own, 2^((n mod 10 − 4.5) / 2) times the file's, and n mod 10 as its class
    /// in the place of what it shows.
    pub fn with_contrast_as_class(self) -> Self {
        Self { contrast_is_class: true, ..self }
    }

    /// Name and SHA-256 of each file.
    pub fn stamps(&self) -> BTreeMap<String, String> {
        self.stamps.clone()
    }

    /// How many training images are taken.
    pub fn train_len(&self) -> usize {
        self.train_images.unwrap_or(self.images.train.len())
    }

    /// Of one image, `[C, H, W]`.
    pub fn shape(&self) -> [usize; 3] {
        self.images.train.shape()
    }

    pub fn train(&self, device: &Device) -> candle_core::Result<Split> {
        self.part(&self.images.train, device)?.narrow(0, self.train_len())
    }

    pub fn test(&self, device: &Device) -> candle_core::Result<Split> {
        self.part(&self.images.test, device)
    }

    fn part(&self, images: &Images, device: &Device) -> candle_core::Result<Split> {
        let (mean, deviation) = self.images.train.statistics();
        let pixels = images.pixels(device).map_err(candle_core::Error::wrap)?;
        let labels: Vec<u32> = images.labels().iter().map(|label| u32::from(*label)).collect();
        let part = Split {
            inputs: pixels.affine(1.0 / deviation, -mean / deviation)?,
            targets: Targets::Classes(Tensor::from_vec(labels, images.len(), device)?),
        };
        if self.contrast_is_class { part.at_contrasts() } else { Ok(part) }
    }
}

impl Targets {
    /// Applies a function to the tensor, whichever it is.
    fn map(&self, of: impl Fn(&Tensor) -> candle_core::Result<Tensor>) -> candle_core::Result<Self> {
        Ok(match self {
            Self::Classes(classes) => Self::Classes(of(classes)?),
            Self::Values(values) => Self::Values(of(values)?),
        })
    }
}

impl Split {
    /// The classes `[N]`. Errors if the targets are values.
    pub fn classes(&self) -> candle_core::Result<&Tensor> {
        match &self.targets {
            Targets::Classes(classes) => Ok(classes),
            Targets::Values(_) => bail!("examples whose targets are values have no classes"),
        }
    }

    pub fn len(&self) -> usize {
        self.inputs.dims()[0]
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the examples with these indices, in this order.
    pub fn select(&self, examples: &[usize]) -> candle_core::Result<Self> {
        let indices: Vec<u32> = examples.iter().map(|example| *example as u32).collect();
        let indices = Tensor::from_vec(indices, examples.len(), self.inputs.device())?;
        let of = |tensor: &Tensor| tensor.index_select(&indices, 0);
        Ok(Self { inputs: of(&self.inputs)?, targets: self.targets.map(of)? })
    }

    /// Takes neighboring examples.
    pub fn narrow(&self, start: usize, length: usize) -> candle_core::Result<Self> {
        let of = |tensor: &Tensor| tensor.narrow(0, start, length);
        Ok(Self { inputs: of(&self.inputs)?, targets: self.targets.map(of)? })
    }

    /// See [`Dataset::with_contrast_as_class`].
    fn at_contrasts(self) -> candle_core::Result<Self> {
        let device = self.inputs.device();
        let classes: Vec<u32> = (0..self.len()).map(|image| (image % CLASSES) as u32).collect();
        let contrasts = classes.iter().map(|class| libm::exp2((f64::from(*class) - 4.5) / 2.0) as f32).collect();
        let contrasts = Tensor::from_vec(contrasts, (self.len(), 1, 1, 1), device)?;
        Ok(Self {
            inputs: self.inputs.broadcast_mul(&contrasts)?,
            targets: Targets::Classes(Tensor::from_vec(classes, self.len(), device)?),
        })
    }

    /// How many of the classes `[N]` are those of the largest logits `[N, K]`.
    pub fn right(&self, logits: &Tensor) -> candle_core::Result<f64> {
        logits.argmax(1)?.eq(self.classes()?)?.to_dtype(DType::F64)?.sum_all()?.to_scalar()
    }
}

/// As settings of a trial keep it: what was changed of the files, whose hashes say which data it is.
impl Serialize for Dataset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.train_images.is_none() && !self.contrast_is_class {
            return serializer.serialize_unit();
        }
        let mut changes = serializer.serialize_struct("Labelled", 2)?;
        changes.serialize_field("train_images", &self.train_images)?;
        changes.serialize_field("contrast_is_class", &self.contrast_is_class)?;
        changes.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fashion_mnist::Files;

    #[test]
    fn parts_are_standardised_by_the_training_images() {
        let data = Dataset::new(&Files::embedded()).unwrap();
        let (train, test) = (data.train(&Device::Cpu).unwrap(), data.test(&Device::Cpu).unwrap());
        let mean = |part: &Split| part.inputs.mean_all().unwrap().to_scalar::<f32>().unwrap();
        let square = |part: &Split| part.inputs.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(mean(&train).abs() < 1e-3 && (square(&train) - 1.0).abs() < 1e-3);
        assert!(mean(&test).abs() < 0.02 && mean(&test) != mean(&train));
    }

    /// Trials are stored by this: what is changed must show, and what is not must look as ever.
    #[test]
    fn settings_tell_what_is_changed() {
        let plain = Dataset::new(&Files::embedded()).unwrap();
        let json = |data: &Dataset| serde_json::to_string(data).unwrap();
        assert_eq!(json(&plain), "null");
        let few = plain.clone().with_train_images(30).unwrap();
        assert_eq!(json(&few), r#"{"train_images":30,"contrast_is_class":false}"#);
        assert_ne!(json(&few.with_contrast_as_class()), json(&plain.with_train_images(30).unwrap()));
    }

    #[test]
    fn fewer_images_are_the_first_ones() {
        let all = Dataset::new(&Files::embedded()).unwrap();
        let few = all.clone().with_train_images(30).unwrap();
        let len = few.train_len();
        let (few, all) = (few.train(&Device::Cpu).unwrap(), all.train(&Device::Cpu).unwrap());
        assert_eq!((few.len(), len), (30, 30));
        let values = |part: &Split| part.inputs.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(&few), values(&all.narrow(0, 30).unwrap()));
    }

    #[test]
    fn more_images_than_there_are_are_refused() {
        let all = Dataset::new(&Files::embedded()).unwrap();
        for count in [0, 10_001] {
            let error = all.clone().with_train_images(count).err().unwrap().to_string();
            let expected = format!("--train-images {count}: the data has 10000 training images;");
            assert!(error.starts_with(&expected), "{error}");
        }
        assert!(all.with_train_images(10_000).is_ok());
    }

    #[test]
    fn a_contrast_is_a_factor_and_a_class() {
        let plain = Dataset::new(&Files::embedded()).unwrap();
        let changed = plain.clone().with_contrast_as_class();
        let (changed, plain) = (changed.test(&Device::Cpu).unwrap(), plain.test(&Device::Cpu).unwrap());
        assert_eq!(changed.classes().unwrap().narrow(0, 8, 4).unwrap().to_vec1::<u32>().unwrap(), [8, 9, 0, 1]);
        let first = |part: &Split| part.inputs.flatten_all().unwrap().to_vec1::<f32>().unwrap()[0];
        assert!((first(&changed) / first(&plain) - 0.210_224).abs() < 1e-5);
    }

    #[test]
    fn selecting_keeps_images_and_classes_together() {
        let test = Dataset::new(&Files::embedded()).unwrap().test(&Device::Cpu).unwrap();
        let chosen = test.select(&[7, 3, 7]).unwrap();
        let classes = |part: &Split| part.classes().unwrap().to_vec1::<u32>().unwrap();
        assert_eq!(classes(&chosen), [7, 3, 7].map(|index| classes(&test)[index]));
        let image = |part: &Split, index: usize| part.inputs.get(index).unwrap().flatten_all().unwrap();
        assert_eq!(image(&chosen, 1).to_vec1::<f32>().unwrap(), image(&test, 3).to_vec1::<f32>().unwrap());
    }
}
