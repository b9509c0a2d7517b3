//! The command line of a chapter, run as readers run it.

use crate::common::{Scratch, stderr, stdout};
use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn two_runs_give_the_same_record_for_any_number_of_jobs() {
    let scratch = Scratch::new();
    scratch.smoke("one").args(["--fresh", "--jobs", "1"]).assert().success();
    scratch.smoke("two").args(["--fresh", "--jobs", "2"]).assert().success();
    assert_eq!(scratch.record("one"), scratch.record("two"));
    let mut figures = 0;
    for entry in std::fs::read_dir(scratch.path("one")).unwrap() {
        let name = entry.unwrap().file_name();
        if name.to_string_lossy().ends_with(".svg") {
            let read = |out: &str| std::fs::read_to_string(scratch.path(out).join(&name)).unwrap();
            assert_eq!(read("one"), read("two"));
            figures += 1;
        }
    }
    assert!(figures >= 5, "{figures} figures");
}

/// Processor time of each thread of a process so far, in clock ticks, if it still runs.
#[cfg(target_os = "linux")]
fn ticks_of_threads(process: u32) -> Option<std::collections::BTreeMap<String, u64>> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let ticks = |thread: std::io::Result<std::fs::DirEntry>| {
        let thread = thread.ok()?;
        let stat = std::fs::read_to_string(thread.path().join("stat")).ok()?;
        // Behind the name in brackets: state is field 3, user time field 14.
        let user_time = stat.rsplit_once(") ")?.1.split(' ').nth(11)?.parse().ok()?;
        Some((thread.file_name().to_string_lossy().into_owned(), user_time))
    };
    Some(threads.filter_map(ticks).collect())
}

/// The most threads of a chapter's run that compute at a time, each having the processor for most of an interval of
/// 100 ms, which has 10 ticks.
#[cfg(target_os = "linux")]
fn threads_at_a_time(jobs: usize) -> usize {
    let scratch = Scratch::new();
    let program = assert_cmd::cargo::cargo_bin("ch01-feature-normalization");
    let mut child = std::process::Command::new(program)
        .args(["--scale", "smoke", "--steps", "2000", "--fresh", "--jobs", &jobs.to_string(), "--out"])
        .arg(scratch.path("out"))
        .env("NORMBOOK_LAB", scratch.path("lab"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut before, mut most) = (std::collections::BTreeMap::new(), 0);
    while child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(100));
        let now = ticks_of_threads(child.id()).unwrap_or_default();
        let spent = |(thread, ticks): (&String, &u64)| ticks - before.get(thread).unwrap_or(&0);
        most = most.max(now.iter().map(spent).filter(|ticks| *ticks > 6).count());
        before = now;
    }
    most
}

/// On a machine so busy that no thread has a processor to itself a run says nothing; then another is looked at.
#[test]
#[cfg(target_os = "linux")]
fn as_many_threads_compute_as_there_are_jobs() {
    for jobs in [1, 2] {
        let most = (0..10).map(|_| threads_at_a_time(jobs)).find(|most| *most > 0).unwrap_or(0);
        assert!((1..=jobs).contains(&most), "{jobs} jobs, but {most} threads compute at a time");
    }
}

#[test]
fn composed_operations_are_named_and_never_committed() {
    let scratch = Scratch::new();
    let mut composed = scratch.chapter();
    composed.env("NORMBOOK_OPS", "composed");
    composed.args(["--scale", "smoke", "--out"]).arg(scratch.path("composed")).assert().success();
    let made_by = |out: &str| {
        let text = std::fs::read_to_string(scratch.path(out).join("record.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["made_by"]["kernels"].clone()
    };
    assert_eq!(made_by("composed"), "composed");
    scratch.smoke("fused").env_remove("NORMBOOK_OPS").assert().success();
    assert_eq!(made_by("fused"), "fused");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch01");
    let said = stderr(scratch.chapter().env("NORMBOOK_OPS", "composed").arg("--out").arg(committed));
    assert!(said.contains("only the committed protocol"), "{said}");
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let scratch = Scratch::new();
    Scratch::new().smoke("unused").assert().success(); // warms the disk cache, so that the kills below come in time
    let mut kills = 0;
    for milliseconds in [20, 60, 110, 170, 240] {
        let program = assert_cmd::cargo::cargo_bin("ch01-feature-normalization");
        let mut child = std::process::Command::new(program)
            .env("NORMBOOK_LAB", scratch.path("lab"))
            .args(["--scale", "smoke", "--steps", "400", "--out"])
            .arg(scratch.path("killed"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 0, "every run was over before its kill");
    scratch.smoke("killed").args(["--steps", "400"]).assert().success();
    let whole = Scratch::new();
    whole.smoke("whole").args(["--steps", "400", "--fresh"]).assert().success();
    assert_eq!(scratch.record("killed"), whole.record("whole"));
    for entry in std::fs::read_dir(scratch.path("killed")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name.ends_with(".json") || name.ends_with(".svg") || name.starts_with(".writing-"), "{name}");
    }
}

#[test]
fn a_readers_run_is_shown_beside_the_committed_one() {
    let scratch = Scratch::new();
    let said = stdout(scratch.smoke("mine").args(["--toy-scale", "10"]));
    for part in ["committed", "yours", "flags/toy_scale", "toy raw/condition_number", "verdict", "record.json", ".svg"]
    {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let figure = std::fs::read_to_string(scratch.path("mine").join("excess-by-step.svg")).unwrap();
    assert!(figure.contains("committed") && figure.contains("stroke-dasharray"));
}

#[test]
fn only_the_committed_protocol_may_write_to_figures() {
    let scratch = Scratch::new();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch01");
    let before = std::fs::read(committed.join("record.json")).unwrap();
    let said = stderr(scratch.chapter().args(["--seeds", "2", "--out"]).arg(&committed));
    assert!(said.contains("only the committed protocol"), "{said}");
    for folder in ["figures", "figures/ch99", "figures/ch01/sub"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let said = stderr(scratch.chapter().args(["--scale", "smoke", "--out"]).arg(&folder));
        assert!(said.contains("figures/ holds nothing but the committed evidence"), "{said}");
        assert!(!folder.join("record.json").exists());
    }
    scratch.chapter().args(["--scale", "smoke"]).assert().success();
    assert_eq!(std::fs::read(committed.join("record.json")).unwrap(), before);
    assert!(scratch.path("lab").join("runs/ch01").is_dir());
}

#[test]
fn pilot_seeds_get_no_verdict() {
    let scratch = Scratch::new();
    let mut command = scratch.chapter();
    command
        .args(["--seeds", "1000..1006", "--steps", "20", "--learning-rate", "0.1", "--out"])
        .arg(scratch.path("pilot"));
    let said = stdout(&mut command);
    let mine = said.split("committed").next().unwrap();
    assert!(mine.contains("NOT JUDGED") && !mine.contains("REPRODUCED"), "{said}");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let scratch = Scratch::new();
    let program = assert_cmd::cargo::cargo_bin("ch01-feature-normalization");
    let mut child = std::process::Command::new(program)
        .env("NORMBOOK_LAB", scratch.path("lab"))
        .args(["--scale", "smoke", "--out"])
        .arg(scratch.path("mine"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(scratch.path("mine/record.json").is_file());
}

#[test]
fn replot_draws_the_same_figures_without_running() {
    let scratch = Scratch::new();
    let said = stderr(scratch.smoke("none").arg("--replot"));
    assert!(said.contains("nothing to draw"), "{said}");
    scratch.smoke("mine").assert().success();
    let figure = scratch.path("mine").join("net-loss.svg");
    let before = std::fs::read_to_string(&figure).unwrap();
    std::fs::remove_file(&figure).unwrap();
    scratch.smoke("mine").arg("--replot").assert().success();
    assert_eq!(std::fs::read_to_string(&figure).unwrap(), before);
}

#[test]
fn wrong_flags_get_the_allowed_range() {
    let scratch = Scratch::new();
    for (flags, complaint) in [
        (["--scale", "huge"], "smoke, book, paper"),
        (["--seeds", "0"], "a number of seeds from 1 to 1000, or a range such as 10..15"),
        (["--steps", "-3"], "a whole number from 1"),
        (["--jobs", "0"], "a whole number from 1"),
        (["--shard", "3/2"], "i/n with i from 1 to n"),
        (["--toy-scale", "nan"], "a number from 0.01 to 1000"),
        (["--toy-scale", "1e300"], "a number from 0.01 to 1000"),
        (["--hidden", "1000000000"], "a whole number from 1 to 4096"),
        (["--learning-rate", "-1"], "a number above 0"),
        (["--table", "iris"], "wine, breast-cancer"),
        (["--device", "gpu"], "cpu, cuda or cuda:N"),
        (["--frobnicate", "1"], "unexpected argument"),
    ] {
        let said = stderr(scratch.chapter().arg(format!("{}={}", flags[0], flags[1])));
        assert!(said.contains(complaint), "{flags:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
#[cfg(not(feature = "cuda"))]
fn without_cuda_one_sentence_says_so() {
    let said = stderr(Scratch::new().chapter().args(["--device", "cuda:1", "--scale", "smoke"]));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("built without CUDA"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("file"), "in the way").unwrap();
    let said = stderr(&mut scratch.smoke("file/below"));
    assert!(said.contains("cannot write") && said.contains("file"), "{said}");
    let said = stderr(&mut scratch.smoke("file"));
    assert!(said.contains("--out") && said.contains("this is a file; give a folder"), "{said}");
    std::fs::create_dir_all(scratch.path("mine/record.json")).unwrap();
    let said = stderr(&mut scratch.smoke("mine"));
    assert!(said.contains("record.json is a folder; give another"), "{said}");
    assert_eq!(std::fs::read_dir(scratch.path("mine")).unwrap().count(), 1);
}

#[test]
fn the_folder_of_another_chapter_is_refused() {
    let scratch = Scratch::new();
    scratch.smoke("mine").assert().success();
    for flag in ["--fresh", "--replot"] {
        let mut other = Command::cargo_bin("ch08b-theorems").unwrap();
        other
            .env("NORMBOOK_LAB", scratch.path("lab"))
            .args(["--scale", "smoke", flag, "--out"])
            .arg(scratch.path("mine"));
        let said = stderr(&mut other);
        assert!(said.contains("holds the evidence of ch01: give another folder to --out"), "{said}");
    }
}
