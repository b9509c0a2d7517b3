//! `NORMBOOK_OPS` selects the implementation.

use assert_cmd::Command;
use candle_core::{DType, Device, Tensor};
use normbook_ops::implementation::{Implementation, VARIABLE};

/// The variable is read once per process, so each value needs a process of its own.
#[test]
fn the_environment_selects() {
    let selected = |value: Option<&str>| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "ops::choice::print_the_implementation", "--ignored", "--nocapture"]);
        match value {
            Some(value) => child.env(VARIABLE, value),
            None => child.env_remove(VARIABLE),
        };
        String::from_utf8(child.assert().success().get_output().stdout.clone()).unwrap()
    };
    for (value, expected) in
        [(None, "fused"), (Some(""), "fused"), (Some("fused"), "fused"), (Some("composed"), "composed")]
    {
        let stdout = selected(value);
        assert!(stdout.contains(&format!("the implementation is {expected}")), "{value:?}: {stdout}");
    }
}

#[test]
#[ignore = "prints for the_environment_selects"]
fn print_the_implementation() {
    println!("the implementation is {}", Implementation::on(&Device::Cpu).unwrap().name());
}

#[test]
fn other_number_types_have_the_composed_implementation() {
    let half = Tensor::zeros(1, DType::F16, &Device::Cpu).unwrap();
    assert_eq!(Implementation::of(&half).unwrap(), Implementation::Composed);
}

#[test]
#[cfg(unix)]
fn a_value_that_is_not_text_is_an_error() {
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
    let sentences =
        stderr.lines().filter(|line| line.contains("NORMBOOK_OPS is 'fast'; it can be 'fused' or 'composed'"));
    assert_eq!(sentences.count(), 1, "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}
