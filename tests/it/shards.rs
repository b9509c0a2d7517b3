//! Several processes share the trials of a chapter by nothing but a folder: whatever happens to them, the record is
//! that of one run without a break.

use crate::common::{Scratch, stdout};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The record of one process that nobody disturbs.
fn whole() -> String {
    let scratch = Scratch::new();
    scratch.smoke("whole").arg("--fresh").assert().success();
    scratch.record("whole")
}

/// A part, in a process of its own.
fn start(scratch: &Scratch, part: &str) -> Child {
    let program = assert_cmd::cargo::cargo_bin("ch01-feature-normalization");
    let mut command = Command::new(program);
    command.args(["--scale", "smoke", "--jobs", "1", "--shard", part, "--out"]).arg(scratch.path("parts"));
    command.env("NORMBOOK_LAB", scratch.path("lab")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn shards_together_give_the_whole() {
    let shared = Scratch::new();
    for part in ["1/2", "2/2", "1/2"] {
        shared.smoke("parts").args(["--shard", part]).assert().success();
    }
    shared.smoke("parts").assert().success();
    assert_eq!(shared.record("parts"), whole());
}

#[test]
fn a_shard_alone_says_what_is_missing_and_writes_no_record() {
    let scratch = Scratch::new();
    let said = stdout(scratch.smoke("parts").args(["--shard", "1/2"]));
    assert!(said.contains("The pilots of this part are done"), "{said}");
    assert!(!scratch.path("parts").exists());
}

/// Killed where it happens to be, and started again.
#[test]
fn a_killed_shard_goes_on() {
    let scratch = Scratch::new();
    for milliseconds in [30, 100, 200, 300] {
        let mut part = start(&scratch, "1/2");
        std::thread::sleep(Duration::from_millis(milliseconds));
        part.kill().unwrap();
        part.wait().unwrap();
    }
    for part in ["1/2", "2/2"] {
        assert!(start(&scratch, part).wait().unwrap().success());
    }
    scratch.smoke("parts").assert().success();
    assert_eq!(scratch.record("parts"), whole());
}

/// A long trial, killed on its way as soon as its state is kept: the next process goes on from there, and nothing is
/// left over.
#[test]
fn a_trial_goes_on_where_it_was_killed() {
    let scratch = Scratch::new();
    let run = |lab: &str, out: &str| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("ch15-spectral-norm"));
        command.args(["--seeds", "1", "--steps", "300", "--jobs", "1", "--out"]).arg(scratch.path(out));
        command.env("NORMBOOK_LAB", scratch.path(lab)).env("NORMBOOK_KEEP_SECONDS", "0.02").stdout(Stdio::null());
        command
    };
    let states = || {
        let files = walk(&scratch.path("lab"));
        files.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "state")).collect::<Vec<_>>()
    };
    for _ in 0..5 {
        let mut part = run("lab", "out").spawn().unwrap();
        while states().is_empty() && part.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(50));
        part.kill().unwrap();
        part.wait().unwrap();
    }
    assert!(run("lab", "out").status().unwrap().success());
    assert_eq!(states(), Vec::<PathBuf>::new());
    assert!(run("undisturbed", "whole").status().unwrap().success());
    assert_eq!(scratch.record("out"), scratch.record("whole"));
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// All at once, so that the same trial ends in several processes at about the same time.
#[test]
fn shards_that_are_started_twice_do_no_harm() {
    let scratch = Scratch::new();
    let parts: Vec<Child> = ["1/2", "2/2", "1/2", "1/2"].iter().map(|part| start(&scratch, part)).collect();
    for mut part in parts {
        assert!(part.wait().unwrap().success());
    }
    scratch.smoke("parts").assert().success();
    assert_eq!(scratch.record("parts"), whole());
}

/// A file system with room for a few trials alone: an error that names it, and nothing half-written counts once there
/// is room.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_costs_nothing_that_was_finished() {
    let scratch = Scratch::new();
    let lab = scratch.path("lab");
    std::fs::create_dir(&lab).unwrap();
    let mount = |options: &str| {
        Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&lab).stderr(Stdio::null()).status()
    };
    if !mount("size=32k").is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no small file system can be mounted here");
        return;
    }
    let failed = std::panic::catch_unwind(|| {
        let said = crate::common::stderr(scratch.smoke("parts").args(["--shard", "1/1"]));
        assert!(said.contains("cannot write") && said.contains("No space left"), "{said}");
        assert!(mount("remount,size=64m").unwrap().success());
        scratch.smoke("parts").assert().success();
        assert_eq!(scratch.record("parts"), whole());
    });
    Command::new("umount").arg(&lab).status().unwrap();
    failed.unwrap();
}
