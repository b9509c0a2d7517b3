//! Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747): 28 × 28 grey images of ten kinds of clothing.
//!
//! Embedded are the first 1,000 training images of each class and the whole test set, so that everything works offline.
//! A folder with the four usual IDX files gives the full set, or MNIST, whose files have the same names.

use super::images::{DataSet, Images, Source};
use super::{cifar10, idx};
use anyhow::{Context, Result, ensure};
use normbook_fingerprint::sha256;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// The usual names: training images and labels, test images and labels.
pub const FILES: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

/// Where the embedded part is.
const EMBEDDED: &str = "data/fashion-mnist";
/// Where Debian's package `dataset-fashion-mnist` puts the full set.
const DEBIAN: &str = "/usr/share/datasets/fashion-mnist";

/// The packed files, whole in memory, and where they came from.
#[derive(Clone)]
pub struct Files {
    origin: String,
    /// The folder in the files' names in records, which are the same on each machine.
    stamped: &'static str,
    packed: [Cow<'static, [u8]>; 4],
}

impl Files {
    /// 10,000 training images, class-balanced, and the 10,000 test images.
    pub fn embedded() -> Self {
        let packed: [&[u8]; 4] = [
            include_bytes!("../../data/fashion-mnist/train-images-idx3-ubyte.gz"),
            include_bytes!("../../data/fashion-mnist/train-labels-idx1-ubyte.gz"),
            include_bytes!("../../data/fashion-mnist/t10k-images-idx3-ubyte.gz"),
            include_bytes!("../../data/fashion-mnist/t10k-labels-idx1-ubyte.gz"),
        ];
        Self { origin: EMBEDDED.into(), stamped: EMBEDDED, packed: packed.map(Cow::Borrowed) }
    }

    /// Whether a folder has any of the four files.
    pub fn are_in(folder: &Path) -> bool {
        FILES.iter().any(|file| folder.join(file).exists())
    }

    /// The four files in `folder`. Errors name the file and the cause.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        ensure!(
            folder.is_dir(),
            "--data-dir: {} is not a folder; it should hold {}, or CIFAR-10's {}",
            folder.display(),
            FILES.join(", "),
            cifar10::FILES.join(", ")
        );
        let read = |name: &str| -> Result<Cow<'static, [u8]>> {
            let path = folder.join(name);
            Ok(Cow::Owned(std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?))
        };
        let packed = [read(FILES[0])?, read(FILES[1])?, read(FILES[2])?, read(FILES[3])?];
        Ok(Self { origin: folder.display().to_string(), stamped: "data-dir", packed })
    }

    /// The full set of 60,000 training images, from where Debian's package puts it.
    pub fn full() -> Result<Self> {
        ensure!(
            Path::new(DEBIAN).is_dir(),
            "the full Fashion-MNIST is not at hand: name its folder, or that of CIFAR-10, with --data-dir or NORMBOOK_DATA, \
             or install Debian's package dataset-fashion-mnist"
        );
        Self::from_folder(Path::new(DEBIAN))
    }
}

impl Source for Files {
    fn stamps(&self) -> BTreeMap<String, String> {
        let stamp = |(name, bytes): (&&str, &Cow<[u8]>)| (format!("{}/{name}", self.stamped), sha256(bytes));
        FILES.iter().zip(&self.packed).map(stamp).collect()
    }

    fn load(&self) -> Result<DataSet> {
        let named = |index: usize| format!("{}/{}", self.origin, FILES[index]);
        let part = |images: usize, labels: usize| -> Result<Images> {
            let pixels = idx::images(&self.packed[images]).with_context(|| named(images))?;
            let classes = idx::labels(&self.packed[labels]).with_context(|| named(labels))?;
            ensure!(
                pixels.shape[1..] == [28, 28],
                "{}: images are {:?}, not 28 × 28",
                named(images),
                &pixels.shape[1..]
            );
            Images::new(pixels.bytes, [1, 28, 28], classes.bytes).with_context(|| named(labels))
        };
        let train = part(0, 1)?;
        DataSet::new(train, part(2, 3)?).with_context(|| named(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_embedded_part_is_balanced_and_whole() {
        let data = Files::embedded().load().unwrap();
        for (part, name) in [(&data.train, "train"), (&data.test, "test")] {
            assert_eq!(part.len(), 10_000, "{name}");
            for class in 0..10 {
                assert_eq!(part.labels().iter().filter(|label| **label == class).count(), 1000, "{name} {class}");
            }
        }
        let pixels = data.train.pixels(&Device::Cpu).unwrap();
        assert_eq!(pixels.dims(), [10_000, 1, 28, 28]);
        let (mean, deviation) = data.train.statistics();
        assert!((mean - 0.286).abs() < 0.003 && (deviation - 0.353).abs() < 0.003, "{mean} {deviation}");
        let tensor_mean = pixels.mean_all().unwrap().to_scalar::<f32>().unwrap();
        assert!((f64::from(tensor_mean) - mean).abs() < 1e-4);
    }

    /// Of other files only the hash tells which data set it is.
    #[test]
    fn files_of_a_folder_are_not_taken_for_the_embedded_ones() {
        let embedded = Files::embedded();
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in FILES.iter().zip(&embedded.packed) {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let stamps = Files::from_folder(folder.path()).unwrap().stamps();
        assert!(
            stamps
                .keys()
                .eq(FILES.map(|name| format!("data-dir/{name}")).iter().collect::<std::collections::BTreeSet<_>>())
        );
        assert!(embedded.stamps().into_values().eq(stamps.into_values()));
        assert!(embedded.stamps().keys().all(|name| Path::new(name).exists()));
    }

    #[test]
    fn the_embedded_part_is_the_beginning_of_the_full_set() {
        let Ok(full) = Files::full() else {
            eprintln!("skipped: the full Fashion-MNIST is not installed");
            return;
        };
        let (full, embedded) = (full.load().unwrap(), Files::embedded().load().unwrap());
        assert_eq!(full.train.len(), 60_000);
        assert_eq!(full.test, embedded.test);
        // No class is full after 5,000 images, so all of those are kept.
        assert_eq!(full.train.labels()[..5000], embedded.train.labels()[..5000]);
    }
}
