//! `NORMBOOK_OPS` chooses the version.

use assert_cmd::Command;
use candle_core::{DType, Device, Tensor};
use normbook_ops::kernels::{Kernels, VARIABLE};

#[test]
fn the_environment_chooses() {
    let composed = std::env::var(VARIABLE).is_ok_and(|value| value == "composed");
    let expected = if composed { Kernels::Composed } else { Kernels::Fused };
    assert_eq!(Kernels::on(&Device::Cpu).unwrap(), expected);
    let half = Tensor::zeros(1, DType::F16, &Device::Cpu).unwrap();
    assert_eq!(Kernels::of(&half).unwrap(), Kernels::Composed);
}

#[test]
#[cfg(unix)]
fn a_value_that_is_no_text_is_wrong_too() {
    use std::os::unix::ffi::OsStrExt;
    let mut chapter = Command::cargo_bin("ch01-feature-normalization").unwrap();
    chapter.args(["--scale", "smoke"]).env(VARIABLE, std::ffi::OsStr::from_bytes(b"\xff"));
    let output = chapter.output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("NORMBOOK_OPS is 'not UTF-8'"), "{output:?}");
}

#[test]
fn a_wrong_value_ends_a_chapter_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let mut chapter = Command::cargo_bin("ch01-feature-normalization").unwrap();
    chapter.args(["--scale", "smoke", "--fresh", "--out"]).arg(folder.path().join("out"));
    let output = chapter.env("NORMBOOK_LAB", folder.path().join("lab")).env(VARIABLE, "fast").output().unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    let told = stderr.lines().filter(|line| line.contains("NORMBOOK_OPS is 'fast'; it can be 'fused' or 'composed'"));
    assert_eq!(told.count(), 1, "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}
