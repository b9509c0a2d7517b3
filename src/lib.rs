//! `normbook`: what does batch normalization really do? A book whose every claim runs.
//!
//! This crate has what the chapters share: [`data`], the normalization layers ([`norm`]), networks that take one as an
//! argument ([`net`]), training ([`train`]) and measurements of a network ([`probe`]). A chapter states a protocol of
//! these; the crate `normbook_lab` runs, records and judges it. The operations with their fused kernels are the crate
//! `normbook_ops`. CONTRIBUTING.md has the map.

#![forbid(unsafe_code)]

pub mod chapter;
pub mod data;
pub mod net;
pub mod norm;
pub mod probe;
pub mod testing;
pub mod train;
