//! A norm of your own: each example divided by the mean size of its values, without a mean that is subtracted, and a small
//! net that trains with it. `cargo run --release --example own_norm`.

use candle_core::{DType, Device, Result, Tensor, Var};
use normbook::data::{fashion_mnist::Files, labelled::Labelled};
use normbook::net::layer::Weights;
use normbook::norm::{Kind, Norm, Pass, own::Own, per_channel::per_channel};
use normbook::seed::Seed;
use normbook::train::{classifier::TEST_ACCURACY, paper_mlp::PaperMlp};
use normbook::trial::Trial;

/// y = γ x / (mean |x| + ε), for `[N, C, ..]`.
struct MeanSize {
    /// γ, `[C]`, starts at 1.
    weight: Var,
}

impl Norm for MeanSize {
    fn forward(&self, input: &Tensor, _: Pass) -> Result<Tensor> {
        let sizes = input.flatten_from(1)?.abs()?.mean(1)?;
        let per_example: Vec<usize> =
            (0..input.rank()).map(|axis| if axis == 0 { input.dims()[0] } else { 1 }).collect();
        let normalized = input.broadcast_div(&(sizes + 1e-5)?.reshape(per_example)?)?;
        normalized.broadcast_mul(&per_channel(&self.weight, input.rank())?)
    }

    fn parameters(&self) -> Vec<Var> {
        vec![self.weight.clone()]
    }
}

fn build(channels: usize, dtype: DType, device: &Device) -> Result<Box<dyn Norm>> {
    Ok(Box::new(MeanSize { weight: Var::ones(channels, dtype, device)? }))
}

fn main() -> anyhow::Result<()> {
    let nets = PaperMlp { data: Labelled::new(&Files::embedded())?, steps: 500 };
    let own = Kind::Own(Own { name: "mean_size", build });
    for norm in [Kind::None, Kind::BATCH, own] {
        let trace = nets.sigmoid(norm, Weights::Glorot, 0.3).run(Seed(0), &Device::Cpu)?;
        println!("{norm}: test accuracy {:.3} after {} steps", trace.values[TEST_ACCURACY], nets.steps);
    }
    Ok(())
}
