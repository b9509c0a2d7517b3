//! The tests of the book: its chapters, their programs and evidence, and what they share.

mod architecture;
mod candle_in_ten_minutes;
mod chapter;
mod chapters;
mod cifar10;
mod common;
mod data_files;
mod devices;
mod fetch;
mod memory;
mod ops;
mod random_numbers;
mod record_and_figures;
mod refresh;
mod shards;
