//! Several processes share the trials of a chapter by nothing but a folder: whatever happens to them, the record is that of one run
//! without a break.

mod common;

use common::{Desk, stdout};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The record of one process that nobody disturbs.
fn whole() -> String {
    let desk = Desk::new();
    desk.smoke("whole").arg("--fresh").assert().success();
    desk.record("whole")
}

/// A part, in a process of its own.
fn start(desk: &Desk, part: &str) -> Child {
    let program = assert_cmd::cargo::cargo_bin("ch01-feature-normalization");
    let mut command = Command::new(program);
    command.args(["--scale", "smoke", "--jobs", "1", "--shard", part, "--out"]).arg(desk.path("parts"));
    command.env("NORMBOOK_LAB", desk.path("lab")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn shards_together_give_the_whole() {
    let shared = Desk::new();
    for part in ["1/2", "2/2", "1/2"] {
        shared.smoke("parts").args(["--shard", part]).assert().success();
    }
    shared.smoke("parts").assert().success();
    assert_eq!(shared.record("parts"), whole());
}

#[test]
fn a_shard_alone_says_what_is_missing_and_writes_no_record() {
    let desk = Desk::new();
    let said = stdout(desk.smoke("parts").args(["--shard", "1/2"]));
    assert!(said.contains("This part is done"), "{said}");
    assert!(!desk.path("parts").exists());
}

/// Killed where it happens to be, and started again.
#[test]
fn a_killed_shard_goes_on() {
    let desk = Desk::new();
    for milliseconds in [30, 100, 200, 300] {
        let mut part = start(&desk, "1/2");
        std::thread::sleep(Duration::from_millis(milliseconds));
        part.kill().unwrap();
        part.wait().unwrap();
    }
    for part in ["1/2", "2/2"] {
        assert!(start(&desk, part).wait().unwrap().success());
    }
    desk.smoke("parts").assert().success();
    assert_eq!(desk.record("parts"), whole());
}

/// All at once, so that the same trial ends in several processes at about the same time.
#[test]
fn shards_that_are_started_twice_do_no_harm() {
    let desk = Desk::new();
    let parts: Vec<Child> = ["1/2", "2/2", "1/2", "1/2"].iter().map(|part| start(&desk, part)).collect();
    for mut part in parts {
        assert!(part.wait().unwrap().success());
    }
    desk.smoke("parts").assert().success();
    assert_eq!(desk.record("parts"), whole());
}

/// A file system with room for a few trials alone: an error that names it, and nothing half-written counts once there is room.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_costs_nothing_that_was_finished() {
    let desk = Desk::new();
    let lab = desk.path("lab");
    std::fs::create_dir(&lab).unwrap();
    let mount = |options: &str| {
        Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&lab).stderr(Stdio::null()).status()
    };
    if !mount("size=32k").is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no small file system can be mounted here");
        return;
    }
    let failed = std::panic::catch_unwind(|| {
        let said = common::stderr(desk.smoke("parts").args(["--shard", "1/1"]));
        assert!(said.contains("cannot write") && said.contains("No space left"), "{said}");
        assert!(mount("remount,size=64m").unwrap().success());
        desk.smoke("parts").assert().success();
        assert_eq!(desk.record("parts"), whole());
    });
    Command::new("umount").arg(&lab).status().unwrap();
    failed.unwrap();
}
