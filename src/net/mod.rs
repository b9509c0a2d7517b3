//! The nets of the book.

pub mod mlp;
