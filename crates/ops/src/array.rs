//! What a kernel sees of a tensor.

use super::element::Element;
use candle_core::{CpuStorage, Layout, Result, bail};

/// Values in row-major order and their dimensions.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a, T> {
    pub values: &'a [T],
    pub dims: &'a [usize],
}

/// The values of a tensor on the CPU, which must be contiguous and of this type.
pub fn values<'a, T: Element>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<T>()?[start..end]),
        None => bail!("a fused kernel met a tensor that is not contiguous"),
    }
}
