//! The view of a tensor that a kernel works on.

use super::element::Element;
use candle_core::{CpuStorage, Layout, Result, backend::BackendStorage as _, bail};
use std::ops::Range;

/// Values in row-major order, and their dimensions.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a, T> {
    pub values: &'a [T],
    pub dims: &'a [usize],
}

/// Returns the values of a tensor on the CPU. Errors if the tensor is not contiguous or has another type.
pub fn values<'a, T: Element>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    Ok(&storage.as_slice::<T>()?[contiguous(layout)?])
}

/// Returns the values of a tensor on the CPU to change them in place. Errors as [`values`].
pub fn values_mut<'a, T: Element>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [T]> {
    let (range, dtype) = (contiguous(layout)?, storage.dtype());
    match T::values_mut(storage) {
        Some(values) => Ok(&mut values[range]),
        None => bail!("a fused kernel takes tensors of one dtype, not {:?} and {dtype:?}", T::DTYPE),
    }
}

fn contiguous(layout: &Layout) -> Result<Range<usize>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(start..end),
        None => bail!("a fused kernel takes contiguous tensors, not one of strides {:?}", layout.stride()),
    }
}
