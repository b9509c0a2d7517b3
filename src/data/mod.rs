//! Data sets: embedded ones that work offline, and checked files from a folder. A loader gives the values as they are
//! in the file; scaling and standardising are explicit ([`standardize`], [`images::Images::pixels`]).

pub mod cifar10;
pub mod dataset;
pub mod design;
pub mod fashion_mnist;
pub mod idx;
pub mod image_data;
pub mod images;
pub mod standardize;
pub mod tabular;
pub mod toy;
