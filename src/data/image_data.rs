//! The flag of chapters that read images.

use crate::data::fashion_mnist::{FILES, Files};
use crate::data::{cifar10, dataset::Dataset};
use anyhow::{Result, bail};
use normbook_lab::Scale;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Flattened into the flags of a chapter that reads images.
#[derive(clap::Args, Serialize, Clone, Debug, Default)]
pub struct ImageData {
    /// Folder with the four IDX files of the full Fashion-MNIST or of MNIST, or the six of CIFAR-10's binary version
    /// [default: the embedded part of Fashion-MNIST]
    #[arg(long, value_name = "DIR", env = "NORMBOOK_DATA")]
    pub data_dir: Option<PathBuf>,
}

impl ImageData {
    /// The images of the folder if one is named; else the full Fashion-MNIST at the paper scale and its embedded part
    /// at the others. Errors name the file and the cause.
    pub fn labelled(&self, scale: Scale) -> Result<Dataset> {
        match (&self.data_dir, scale) {
            (Some(folder), _) => of_folder(folder),
            (None, Scale::Paper) => Dataset::new(&Files::full()?),
            (None, Scale::Smoke | Scale::Book) => Dataset::new(&Files::embedded()),
        }
    }
}

/// The data set that a folder holds.
fn of_folder(folder: &Path) -> Result<Dataset> {
    let shown = folder.display();
    match (cifar10::Files::within(folder), Files::are_in(folder)) {
        (Some(_), true) => bail!("--data-dir: {shown} has files of two data sets; name a folder with those of one"),
        (Some(folder), false) => Dataset::new(&cifar10::Files::from_folder(&folder)?),
        (None, false) if folder.is_dir() => bail!(
            "--data-dir: {shown} has no file of a data set: neither {} … as Fashion-MNIST and MNIST are packed, nor {} … of \
             CIFAR-10's binary version",
            FILES[0],
            cifar10::FILES[0]
        ),
        (None, _) => Dataset::new(&Files::from_folder(folder)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        images: ImageData,
    }

    #[test]
    fn the_flag_names_the_folder() {
        let flags = Flags::parse_from(["test", "--data-dir", "no/such/folder"]);
        let error = flags.images.labelled(Scale::Book).err().unwrap().to_string();
        assert!(error.contains("--data-dir: no/such/folder is not a folder"), "{error}");
        let empty = tempfile::tempdir().unwrap();
        let flags = Flags::parse_from(["test", "--data-dir", &empty.path().display().to_string()]);
        let error = flags.images.labelled(Scale::Book).err().unwrap().to_string();
        assert!(
            error.contains("neither train-images-idx3-ubyte.gz") && error.contains("nor data_batch_1.bin"),
            "{error}"
        );
        assert_eq!(ImageData::default().labelled(Scale::Book).unwrap().shape(), [1, 28, 28]);
    }
}
