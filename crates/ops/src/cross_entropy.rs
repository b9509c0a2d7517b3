//! Softmax cross-entropy, the mean over the batch of −log softmax(z)[class], in nats.

use super::{
    array::Array,
    element::{Element, vectorized},
    kernel::{Kernel, apply1},
    kernels::Kernels,
};
use candle_core::{D, Result, Shape, Tensor, bail};

/// Logits `[N, K]` and classes `[N]` (u32, below K) -> a scalar. Errors on an empty batch and, on the CPU, on a class
/// out of range.
pub fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    let (examples, kinds) = logits.dims2()?;
    if examples == 0 {
        bail!("cross_entropy: the batch is empty: {:?}", logits.dims());
    }
    if classes.dims1()? != examples {
        bail!("cross_entropy: logits {:?} and classes {:?} do not fit", logits.dims(), classes.dims());
    }
    // Looking at the classes would wait for another device.
    if logits.device().is_cpu()
        && let Some(class) = classes.to_vec1::<u32>()?.iter().find(|class| **class as usize >= kinds)
    {
        bail!("cross_entropy: class {class} of {kinds} (they count from 0)");
    }
    match Kernels::of(logits)? {
        Kernels::Composed => cross_entropy_composed(logits, classes),
        Kernels::Fused => cross_entropy_fused(logits, classes),
    }
}

/// With z shifted by its maximum, which changes nothing but keeps the exponentials finite.
pub fn cross_entropy_composed(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    let log_of_sum = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let of_class = shifted.gather(&classes.unsqueeze(1)?, 1)?;
    (log_of_sum - of_class)?.mean_all()
}

pub fn cross_entropy_fused(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    apply1(CrossEntropy { classes: classes.to_vec1()? }, logits)
}

struct CrossEntropy {
    classes: Vec<u32>,
}

impl Kernel<1> for CrossEntropy {
    const NAME: &'static str = "cross_entropy";

    fn forward<T: Element>(&self, [logits]: [Array<'_, T>; 1]) -> Result<(Vec<T>, Shape)> {
        let rows = logits.values.chunks(logits.dims[1]).zip(&self.classes);
        let losses = rows.map(|(row, class)| {
            let (maximum, sum) = vectorized(|| normalizer(row));
            sum.ln() - (row[*class as usize] - maximum)
        });
        let total: T = losses.sum();
        Ok((vec![total / T::from_f64(self.classes.len() as f64)], Shape::from(())))
    }

    /// (softmax(z) − 1 at the class) / N.
    fn backward<T: Element>(
        &self,
        [logits]: [Array<'_, T>; 1],
        _: &[T],
        upstream: &[T],
        _: [bool; 1],
    ) -> Result<[Option<Vec<T>>; 1]> {
        let kinds = logits.dims[1];
        let scale = upstream[0] / T::from_f64(self.classes.len() as f64);
        let mut out = vec![T::zero(); logits.values.len()];
        let rows = out.chunks_mut(kinds).zip(logits.values.chunks(kinds)).zip(&self.classes);
        for ((out, row), class) in rows {
            vectorized(|| {
                let (maximum, sum) = normalizer(row);
                for (out, logit) in out.iter_mut().zip(row) {
                    *out = scale * (*logit - maximum).exponential() / sum;
                }
            });
            out[*class as usize] -= scale;
        }
        Ok([Some(out)])
    }
}

/// The maximum m of a row and Σ e^(z − m). A NaN in the row makes the sum NaN.
#[inline(always)]
fn normalizer<T: Element>(row: &[T]) -> (T, T) {
    let maximum = row.iter().fold(T::neg_infinity(), |maximum, z| if *z <= maximum { maximum } else { *z });
    (maximum, row.iter().map(|z| (*z - maximum).exponential()).sum())
}
