//! Dataset images in memory.

use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

/// Images and their classes, as bytes in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// `[N, C, H, W]`, 0 to 255.
    pixels: Vec<u8>,
    /// `[C, H, W]`.
    shape: [usize; 3],
    /// `[N]`, 0 to 9.
    labels: Vec<u8>,
}

/// Both parts of a data set; their images have the same shape.
#[derive(Debug)]
pub struct DataSet {
    pub train: Images,
    pub test: Images,
}

/// The files of a data set.
pub trait Source {
    /// Name and SHA-256 of each file.
    fn stamps(&self) -> BTreeMap<String, String>;

    /// Unpacks and checks all of them. Errors name the file and the cause.
    fn load(&self) -> Result<DataSet>;
}

impl DataSet {
    /// Errors if the training images cannot be standardised: all their pixels are the same.
    pub fn new(train: Images, test: Images) -> Result<Self> {
        ensure!(
            train.pixels.iter().any(|byte| *byte != train.pixels[0]),
            "all pixels of the training images are the same, so that they cannot be standardised; give the files of a data \
             set with --data-dir"
        );
        Ok(Self { train, test })
    }
}

impl Images {
    /// Puts the bytes of images `[C, H, W]` and labels together. Errors if their numbers differ or a label is above 9.
    pub fn new(pixels: Vec<u8>, shape: [usize; 3], labels: Vec<u8>) -> Result<Self> {
        let (images, labelled) = (pixels.len() / shape.iter().product::<usize>(), labels.len());
        ensure!(images == labelled, "there are {images} images but {labelled} labels");
        let wrong = labels.iter().position(|label| *label > 9);
        ensure!(wrong.is_none(), "label {} is above 9", wrong.map_or(0, |at| labels[at]));
        Ok(Self { pixels, shape, labels })
    }

    /// Of one image, `[C, H, W]`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
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

    /// Pixels scaled to 0 … 1, `[N, C, H, W]`, f32.
    pub fn pixels(&self, device: &Device) -> Result<Tensor> {
        let scaled: Vec<f32> = self.pixels.iter().map(|byte| f32::from(*byte) / 255.0).collect();
        let [channels, height, width] = self.shape;
        Ok(Tensor::from_vec(scaled, (self.len(), channels, height, width), device)?)
    }

    /// Mean and standard deviation over all scaled pixels: of the training images, for both parts.
    pub fn statistics(&self) -> (f64, f64) {
        let count = self.pixels.len() as f64;
        let mean = self.pixels.iter().map(|byte| f64::from(*byte) / 255.0).sum::<f64>() / count;
        let square = |byte: &u8| (f64::from(*byte) / 255.0 - mean).powi(2);
        (mean, (self.pixels.iter().map(square).sum::<f64>() / count).sqrt())
    }
}
