//! CIFAR-10 (Krizhevsky 2009, "Learning multiple layers of features from tiny images"): 32 × 32 colour images of ten
//! kinds of things, 50,000 to train on and 10,000 to test, in the *binary version*: records of a label and 3 × 1024
//! bytes, red, green, blue, row by row.

use super::images::{DataSet, Images, Source};
use anyhow::{Context, Result, ensure};
use normbook_fingerprint::sha256;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Training images first; the last file holds the test images.
pub const FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];
/// The folder that the archive unpacks to.
const UNPACKED: &str = "cifar-10-batches-bin";

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = SHAPE[0] * SHAPE[1] * SHAPE[2];
/// A label, then the pixels.
const RECORD: usize = 1 + PIXELS;
/// Of a file of the data set. One that has fewer is another data set in the same format, such as a test's.
const LARGEST: u64 = 10_000 * RECORD as u64;

/// The six files, whole in memory, and where they came from.
pub struct Files {
    folder: PathBuf,
    contents: [Vec<u8>; FILES.len()],
}

impl Files {
    /// Where below a folder the files are: in itself, or in what the archive unpacks to; none if not one of them is
    /// there.
    pub fn within(folder: &Path) -> Option<PathBuf> {
        let holds_any = |folder: &PathBuf| FILES.iter().any(|file| folder.join(file).exists());
        [folder.to_owned(), folder.join(UNPACKED)].into_iter().find(holds_any)
    }

    /// All six files of a folder. Errors name the file and the cause.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let read = |name: &str| -> Result<Vec<u8>> {
            let path = folder.join(name);
            let about = std::fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
            ensure!(
                about.len() <= LARGEST,
                "{}: it has {} bytes; a file of CIFAR-10's binary version has {LARGEST} at most",
                path.display(),
                about.len()
            );
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let mut contents: [Vec<u8>; FILES.len()] = Default::default();
        for (name, content) in FILES.iter().zip(&mut contents) {
            *content = read(name)?;
        }
        Ok(Self { folder: folder.to_owned(), contents })
    }

    fn part(&self, files: std::ops::Range<usize>) -> Result<Images> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (name, content) in FILES[files.clone()].iter().zip(&self.contents[files]) {
            let named = || self.folder.join(name).display().to_string();
            check(content).with_context(named)?;
            for record in content.chunks_exact(RECORD) {
                labels.push(record[0]);
                pixels.extend_from_slice(&record[1..]);
            }
        }
        Images::new(pixels, SHAPE, labels)
    }
}

impl Source for Files {
    fn stamps(&self) -> BTreeMap<String, String> {
        let stamp = |(name, content): (&&str, &Vec<u8>)| (format!("data/cifar-10/{name}"), sha256(content));
        FILES.iter().zip(&self.contents).map(stamp).collect()
    }

    fn load(&self) -> Result<DataSet> {
        let last = FILES.len() - 1;
        let train = self.part(0..last)?;
        for (name, content) in FILES[1..last].iter().zip(&self.contents[1..]) {
            let (images, of_first) = (content.len() / RECORD, self.contents[0].len() / RECORD);
            ensure!(
                images == of_first,
                "{}: it has {images} images and {} has {of_first}: one of them is truncated",
                self.folder.join(name).display(),
                FILES[0]
            );
        }
        DataSet::new(train, self.part(last..FILES.len())?).with_context(|| self.folder.display().to_string())
    }
}

/// Whether a file is whole records with labels from 0 to 9.
fn check(content: &[u8]) -> Result<()> {
    ensure!(!content.is_empty(), "it is empty");
    ensure!(!content.starts_with(&[0x1f, 0x8b]), "it is packed with gzip: unpack the archive first");
    ensure!(
        content.len().is_multiple_of(RECORD),
        "it has {} bytes, no multiple of the {RECORD} of an image and its label: truncated, damaged, or not the binary version",
        content.len()
    );
    let wrong = content.iter().step_by(RECORD).position(|label| *label > 9);
    let Some(image) = wrong else { return Ok(()) };
    let label = content[image * RECORD];
    anyhow::bail!("label {label} of image {image} is above 9: damaged, or CIFAR-100")
}
