//! The choice between the two implementations of an operation.

use candle_core::{DType, Device, Result, Tensor, bail};
use std::{env::VarError, sync::OnceLock};

/// The environment variable that selects the implementation of all operations on the CPU: `fused` (the default) or
/// `composed`.
pub const VARIABLE: &str = "NORMBOOK_OPS";

/// An implementation of every operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Implementation {
    /// Tensor operations of candle.
    Composed,
    /// One pass over the memory, on the CPU in f32 and f64.
    Fused,
}

impl Implementation {
    /// Returns the implementation on `device`: on the CPU the one that [`VARIABLE`] selects, elsewhere the composed
    /// one. The variable is read once per process. Errors on another value of it.
    pub fn on(device: &Device) -> Result<Self> {
        static SELECTED: OnceLock<std::result::Result<Implementation, String>> = OnceLock::new();
        if !device.is_cpu() {
            return Ok(Self::Composed);
        }
        let selected = SELECTED.get_or_init(|| match std::env::var(VARIABLE).as_deref() {
            Err(VarError::NotPresent) | Ok("" | "fused") => Ok(Self::Fused),
            Ok("composed") => Ok(Self::Composed),
            other => {
                let other = other.unwrap_or("not UTF-8");
                Err(format!("{VARIABLE} is '{other}'; it can be 'fused' or 'composed'"))
            }
        });
        match selected {
            Ok(implementation) => Ok(*implementation),
            Err(message) => bail!("{message}"),
        }
    }

    /// Returns the implementation for an operation on `tensor`: as [`on`](Self::on) for f32 and f64, composed for the
    /// other number types.
    pub fn of(tensor: &Tensor) -> Result<Self> {
        if matches!(tensor.dtype(), DType::F32 | DType::F64) { Self::on(tensor.device()) } else { Ok(Self::Composed) }
    }

    /// Returns the name that records use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Composed => "composed",
            Self::Fused => "fused",
        }
    }
}
