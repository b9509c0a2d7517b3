//! Labelled grey images in memory.

use super::idx::Idx;
use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};

/// Images and their classes, as bytes in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// `[N, H, W]`, 0 to 255.
    pixels: Idx,
    /// `[N]`, 0 to 9.
    labels: Vec<u8>,
}

impl Images {
    /// Puts images and labels together. Errors if their numbers differ or a label is above 9.
    pub fn new(pixels: Idx, labels: Idx) -> Result<Self> {
        let (images, labelled) = (pixels.shape[0], labels.shape[0]);
        ensure!(images == labelled, "there are {images} images but {labelled} labels");
        let wrong = labels.bytes.iter().position(|label| *label > 9);
        ensure!(wrong.is_none(), "label {} is above 9", wrong.map_or(0, |at| labels.bytes[at]));
        Ok(Self { pixels, labels: labels.bytes })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Never: files without images are refused.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The class of each image, `[N]`.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Pixels scaled to 0 … 1, `[N, 1, H, W]`, f32.
    pub fn pixels(&self, device: &Device) -> Result<Tensor> {
        let scaled: Vec<f32> = self.pixels.bytes.iter().map(|byte| f32::from(*byte) / 255.0).collect();
        let (height, width) = (self.pixels.shape[1], self.pixels.shape[2]);
        Ok(Tensor::from_vec(scaled, (self.len(), 1, height, width), device)?)
    }

    /// Whether all pixels of all images are the same: their deviation is 0.
    pub fn are_constant(&self) -> bool {
        self.pixels.bytes.iter().all(|byte| *byte == self.pixels.bytes[0])
    }

    /// Mean and standard deviation over all scaled pixels: of the training images, for both parts.
    pub fn statistics(&self) -> (f64, f64) {
        let count = self.pixels.bytes.len() as f64;
        let mean = self.pixels.bytes.iter().map(|byte| f64::from(*byte) / 255.0).sum::<f64>() / count;
        let square = |byte: &u8| (f64::from(*byte) / 255.0 - mean).powi(2);
        (mean, (self.pixels.bytes.iter().map(square).sum::<f64>() / count).sqrt())
    }
}
