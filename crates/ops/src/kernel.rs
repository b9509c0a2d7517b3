//! Fused kernels as operations of candle: a kernel works on slices and is written once for f32 and f64; this file adds
//! what candle requires of an operation.

use super::{
    array::{Array, values},
    element::Element,
};
use candle_core::{
    CpuStorage, CustomOp1, CustomOp3, DType, Device, Layout, Result, Shape, Storage, StorageRef, Tensor,
    backend::BackendStorage as _, bail,
};

/// Number of values that are worth a parallel task of their own.
pub const VALUES_PER_TASK: usize = 1 << 15;

/// A differentiable function of `N` arrays.
pub trait Kernel<const N: usize>: Send + Sync + 'static {
    const NAME: &'static str;

    /// Returns the output and its shape.
    fn forward<T: Element>(&self, inputs: [Array<'_, T>; N]) -> Result<(Vec<T>, Shape)>;

    /// Returns the gradient of ⟨`upstream`, `output`⟩ with respect to each input that is `wanted`. `output` is what
    /// [`forward`](Self::forward) returned, and `upstream` has its shape.
    fn backward<T: Element>(
        &self,
        inputs: [Array<'_, T>; N],
        output: &[T],
        upstream: &[T],
        wanted: [bool; N],
    ) -> Result<[Option<Vec<T>>; N]>;
}

/// Applies a kernel to one input.
pub fn apply1<K: Kernel<1>>(kernel: K, input: &Tensor) -> Result<Tensor> {
    input.contiguous()?.apply_op1(Operation(kernel))
}

/// Applies a kernel to three inputs.
pub fn apply3<K: Kernel<3>>(kernel: K, first: &Tensor, second: &Tensor, third: &Tensor) -> Result<Tensor> {
    first.contiguous()?.apply_op3(&second.contiguous()?, &third.contiguous()?, Operation(kernel))
}

/// A kernel as candle's custom operation.
struct Operation<K>(K);

impl<K> Operation<K> {
    fn forward<const N: usize>(&self, inputs: [(&CpuStorage, &Layout); N]) -> Result<(CpuStorage, Shape)>
    where
        K: Kernel<N>,
    {
        match inputs[0].0.dtype() {
            DType::F32 => self.forward_as::<f32, N>(inputs),
            DType::F64 => self.forward_as::<f64, N>(inputs),
            other => bail!("{}: the fused implementation takes f32 and f64, not {other:?}", K::NAME),
        }
    }

    fn forward_as<T: Element, const N: usize>(&self, inputs: [(&CpuStorage, &Layout); N]) -> Result<(CpuStorage, Shape)>
    where
        K: Kernel<N>,
    {
        let mut arrays = [Array { values: &[][..], dims: &[][..] }; N];
        for (array, (storage, layout)) in arrays.iter_mut().zip(inputs) {
            *array = Array { values: values(storage, layout)?, dims: layout.dims() };
        }
        let (values, shape) = self.0.forward::<T>(arrays)?;
        Ok((T::to_cpu_storage_owned(values), shape))
    }

    fn backward<const N: usize>(
        &self,
        inputs: [&Tensor; N],
        output: &Tensor,
        upstream: &Tensor,
    ) -> Result<[Option<Tensor>; N]>
    where
        K: Kernel<N>,
    {
        match output.dtype() {
            DType::F32 => self.backward_as::<f32, N>(inputs, output, upstream),
            _ => self.backward_as::<f64, N>(inputs, output, upstream),
        }
    }

    fn backward_as<T: Element, const N: usize>(
        &self,
        inputs: [&Tensor; N],
        output: &Tensor,
        upstream: &Tensor,
    ) -> Result<[Option<Tensor>; N]>
    where
        K: Kernel<N>,
    {
        let upstream = upstream.contiguous()?;
        let guards = inputs.map(Tensor::storage_and_layout);
        let mut arrays = [Array { values: &[][..], dims: &[][..] }; N];
        for (array, (storage, layout)) in arrays.iter_mut().zip(&guards) {
            *array = Array { values: values(on_cpu(storage)?, layout)?, dims: layout.dims() };
        }
        let (output, upstream) = (output.storage_and_layout(), upstream.storage_and_layout());
        let gradients = self.0.backward::<T>(
            arrays,
            values(on_cpu(&output.0)?, output.1)?,
            values(on_cpu(&upstream.0)?, upstream.1)?,
            inputs.map(Tensor::track_op),
        )?;
        let mut tensors = [const { None }; N];
        for ((tensor, gradient), input) in tensors.iter_mut().zip(gradients).zip(inputs) {
            *tensor = gradient.map(|values| Tensor::from_vec(values, input.shape(), &Device::Cpu)).transpose()?;
        }
        Ok(tensors)
    }
}

/// Returns the storage of a tensor on the CPU. Errors if the tensor is on another device.
fn on_cpu<'a>(storage: &'a StorageRef<'_>) -> Result<&'a CpuStorage> {
    match &**storage {
        Storage::Cpu(storage) => Ok(storage),
        _ => {
            bail!("a fused kernel takes tensors on the CPU; move the tensor there, or call the composed implementation")
        }
    }
}

impl<K: Kernel<1>> CustomOp1 for Operation<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward([(storage, layout)])
    }

    fn bwd(&self, input: &Tensor, output: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        let [gradient] = self.backward([input], output, upstream)?;
        Ok(gradient)
    }
}

impl<K: Kernel<3>> CustomOp3 for Operation<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward([(s1, l1), (s2, l2), (s3, l3)])
    }

    fn bwd(
        &self,
        first: &Tensor,
        second: &Tensor,
        third: &Tensor,
        output: &Tensor,
        upstream: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        Ok(self.backward([first, second, third], output, upstream)?.into())
    }
}
