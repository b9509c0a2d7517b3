//! The flag of chapters that read images.

use crate::data::fashion_mnist::Files;
use crate::lab::Scale;
use anyhow::Result;
use serde::Serialize;
use std::path::PathBuf;

/// Flattened into the flags of a chapter that reads images.
#[derive(clap::Args, Serialize, Clone, Debug, Default)]
pub struct ImageData {
    /// Folder with the four IDX files of the full Fashion-MNIST, or of MNIST [default: the embedded part]
    #[arg(long, value_name = "DIR", env = "NORMBOOK_DATA")]
    pub data_dir: Option<PathBuf>,
}

impl ImageData {
    /// The folder's files if one is named; else the full set at the paper scale and the embedded part at the others.
    pub fn files(&self, scale: Scale) -> Result<Files> {
        match (&self.data_dir, scale) {
            (Some(folder), _) => Files::from_folder(folder),
            (None, Scale::Paper) => Files::full(None),
            (None, Scale::Smoke | Scale::Book) => Ok(Files::embedded()),
        }
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
        let error = flags.images.files(Scale::Book).err().unwrap().to_string();
        assert!(error.contains("--data-dir: no/such/folder is not a folder"), "{error}");
        assert_eq!(ImageData::default().files(Scale::Book).unwrap().load().unwrap().train.len(), 10_000);
    }
}
