//! Which of the two versions of an operation runs.

use candle_core::{DType, Device, Result, Tensor, bail};
use std::{env::VarError, sync::OnceLock};

/// The environment variable that forces one version everywhere: `composed`, or `fused` (the default).
pub const VARIABLE: &str = "NORMBOOK_OPS";

/// The two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// Tensor operations of candle.
    Composed,
    /// One pass over the memory, on the CPU in f32 and f64.
    Fused,
}

impl Kernels {
    /// The version on `device`: composed on every device but the CPU, where it is what the environment asks for, else the
    /// fused one. The environment is read once.
    pub fn on(device: &Device) -> Result<Self> {
        static CHOICE: OnceLock<std::result::Result<Kernels, String>> = OnceLock::new();
        if !device.is_cpu() {
            return Ok(Self::Composed);
        }
        let choice = CHOICE.get_or_init(|| match std::env::var(VARIABLE).as_deref() {
            Err(VarError::NotPresent) | Ok("" | "fused") => Ok(Self::Fused),
            Ok("composed") => Ok(Self::Composed),
            other => {
                let other = other.unwrap_or("not UTF-8");
                Err(format!("{VARIABLE} is '{other}'; it can be 'fused' or 'composed'"))
            }
        });
        match choice {
            Ok(kernels) => Ok(*kernels),
            Err(message) => bail!("{message}"),
        }
    }

    /// The version for an operation on `tensor`: number types other than f32 and f64 have the composed one only.
    pub fn of(tensor: &Tensor) -> Result<Self> {
        if matches!(tensor.dtype(), DType::F32 | DType::F64) { Self::on(tensor.device()) } else { Ok(Self::Composed) }
    }

    /// As records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Composed => "composed",
            Self::Fused => "fused",
        }
    }
}
