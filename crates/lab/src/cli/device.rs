//! Where tensors live.

use anyhow::{Context, Result, bail};
use candle_core::Device;

/// `cpu`, `cuda` or `cuda:N`. Errors in one sentence: unknown, not compiled in, not there.
pub fn parse(name: &str) -> Result<Device> {
    let ordinal = match name.split_once(':') {
        None if name == "cpu" => return Ok(Device::Cpu),
        None if name == "cuda" => Some(0),
        Some(("cuda", ordinal)) => ordinal.parse().ok(),
        _ => None,
    };
    let Some(ordinal) = ordinal else { bail!("--device {name}: expected cpu, cuda or cuda:N such as cuda:1") };
    if !candle_core::utils::cuda_is_available() {
        bail!(
            "--device {name}: this program was built without CUDA; build it with --features cuda, or use --device cpu"
        );
    }
    Device::new_cuda(ordinal).with_context(|| format!("--device {name}: no such GPU can be used; try --device cpu"))
}

/// Without the number of a GPU: those of one machine share their trials.
pub fn kind(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_of_one_kind() {
        assert_eq!(["cpu", "cuda", "cuda:1"].map(kind), ["cpu", "cuda", "cuda"]);
    }

    #[test]
    fn devices_are_named() {
        assert!(matches!(parse("cpu"), Ok(Device::Cpu)));
        for wrong in ["gpu", "cuda:x", "cpu:0", ""] {
            assert!(parse(wrong).unwrap_err().to_string().contains("expected cpu, cuda or cuda:N"));
        }
    }
}
