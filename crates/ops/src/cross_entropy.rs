//! Softmax cross-entropy: the mean over the batch of −log softmax(z) at the target, in nats.

use super::{
    array::Array,
    element::Element,
    implementation::Implementation,
    kernel::{Kernel, apply1},
    vector::vectorized,
};
use candle_core::{D, Result, Shape, Tensor, bail};

/// Returns the loss, a scalar, of logits `[N, K]` for the targets `[N]`: classes in u32, below K. Errors on an empty
/// batch and, on the CPU, on a class out of range.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let (examples, classes) = logits.dims2()?;
    if examples == 0 {
        bail!("cross_entropy: the batch is empty: logits {:?}", logits.dims());
    }
    if targets.dims1()? != examples {
        bail!(
            "cross_entropy: logits {:?} and targets {:?} do not match; they are [N, K] and [N]",
            logits.dims(),
            targets.dims()
        );
    }
    // On another device the check would wait for all work before it.
    if logits.device().is_cpu()
        && let Some(class) = targets.to_vec1::<u32>()?.iter().find(|class| **class as usize >= classes)
    {
        bail!("cross_entropy: a target is class {class} of {classes}; classes count from 0");
    }
    match Implementation::of(logits)? {
        Implementation::Composed => cross_entropy_composed(logits, targets),
        Implementation::Fused => cross_entropy_fused(logits, targets),
    }
}

/// Returns [`cross_entropy`] by its definition. Subtracting the maximum of z does not change the loss and keeps the
/// exponentials finite.
pub fn cross_entropy_composed(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    let log_sum = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let at_target = shifted.gather(&targets.unsqueeze(1)?, 1)?;
    (log_sum - at_target)?.mean_all()
}

/// Returns [`cross_entropy`] in one pass.
pub fn cross_entropy_fused(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    apply1(CrossEntropy { targets: targets.to_vec1()? }, logits)
}

struct CrossEntropy {
    targets: Vec<u32>,
}

impl Kernel<1> for CrossEntropy {
    const NAME: &'static str = "cross_entropy";

    fn forward<T: Element>(&self, [logits]: [Array<'_, T>; 1]) -> Result<(Vec<T>, Shape)> {
        let rows = logits.values.chunks(logits.dims[1]).zip(&self.targets);
        let losses = rows.map(|(row, target)| {
            let (maximum, sum) = vectorized(|| normalizer(row));
            sum.ln() - (row[*target as usize] - maximum)
        });
        let total: T = losses.sum();
        Ok((vec![total / T::from_f64(self.targets.len() as f64)], Shape::from(())))
    }

    /// ∂z = upstream (softmax(z) − 1 at the target) / N.
    fn backward<T: Element>(
        &self,
        [logits]: [Array<'_, T>; 1],
        _: &[T],
        upstream: &[T],
        _: [bool; 1],
    ) -> Result<[Option<Vec<T>>; 1]> {
        let classes = logits.dims[1];
        let factor = upstream[0] / T::from_f64(self.targets.len() as f64);
        let mut out = vec![T::zero(); logits.values.len()];
        let rows = out.chunks_mut(classes).zip(logits.values.chunks(classes)).zip(&self.targets);
        for ((out, row), target) in rows {
            vectorized(|| {
                let (maximum, sum) = normalizer(row);
                for (out, logit) in out.iter_mut().zip(row) {
                    *out = factor * (*logit - maximum).exponential() / sum;
                }
            });
            out[*target as usize] -= factor;
        }
        Ok([Some(out)])
    }
}

/// Returns the maximum m of a row and Σ e^(z − m). A NaN in the row makes the sum NaN.
#[inline(always)]
fn normalizer<T: Element>(row: &[T]) -> (T, T) {
    let maximum = row.iter().fold(T::neg_infinity(), |maximum, z| if *z <= maximum { maximum } else { *z });
    (maximum, row.iter().map(|z| (*z - maximum).exponential()).sum())
}
