//! Hostile and broken submissions. Each gets a verdict: no points for the tests that it breaks, all points for the
//! others; the grader goes on.

mod common;

use common::small::{Course, RIGHT};
use common::{is_isolated, test};
use normbook_grade::report::Report;
use std::path::Path;
use std::time::{Duration, Instant};

/// Checks that `double` fails with this message and that no other test loses points.
#[track_caller]
fn fails(what: &str, report: &Report, words: &str) {
    let why = test(report, "double").why().to_owned();
    println!("{what:<40} {}", why.lines().next().unwrap_or_default());
    assert!(why.contains(words), "{what}: {words:?} is not in: {why}\n{}", test(report, "double").printed);
    assert!(test(report, "add").passed(), "{what}: {}", test(report, "add").why());
    assert_eq!(report.points(), 2, "{what}");
}

/// A `double` with this body.
fn double(body: &str) -> String {
    format!("pub fn double(x: &[f64]) -> Vec<f64> {{\n{body}\n}}\n")
}

#[test]
fn a_right_submission_has_all_points() {
    let report = Course::new().grade(RIGHT);
    assert_eq!((report.points(), report.all_points()), (10, 10), "{:?}", report.problem);
}

#[test]
fn programs_that_do_not_answer() {
    let course = Course::new();
    let cases = [
        ("an endless loop", "loop { std::hint::black_box(x); }", "did not finish within 3 s"),
        ("asleep", "std::thread::sleep(std::time::Duration::from_secs(1000)); x.to_vec()", "did not finish within 3 s"),
        ("100 GB", "vec![1.0; 100_000_000_000 / 8]", "needs more memory than the limit of 2 GiB"),
        (
            "100 GB, little by little",
            "let mut all = Vec::new(); loop { all.push(Vec::<f64>::with_capacity(1 << 24)); }",
            "more memory than the limit",
        ),
        ("a panic", "panic!(\"no idea\")", "it panicked at src/lib.rs:2: no idea"),
        ("an index out of range", "vec![x[7]]", "it panicked at src/lib.rs:2: index out of bounds"),
        ("exit(0)", "std::process::exit(0)", "no answer: the program exited early (exit code 0)"),
        ("abort", "std::process::abort()", "no answer: the program aborted"),
        (
            "a stack that overflows",
            "if x.len() > 9 { return x.to_vec() } double(x).into_iter().rev().collect()",
            "overflowed its stack",
        ),
        ("output without an end", "loop { println!(\"{:?}\", [0; 1000]); }", "printed or wrote more than 16 MiB"),
    ];
    for (what, body, words) in cases {
        fails(what, &course.grade(&double(body)), words);
    }
}

#[test]
fn answers_that_are_not_the_functions() {
    let course = Course::new();
    let answer = "ok\\n2: 2.0 5.0\\nend\\n";
    let to_file = format!(
        "use std::io::Write; let path = std::env::args().nth(1).unwrap();\n\
         let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();\n\
         file.write_all(b\"{answer}\").unwrap();"
    );
    let cases = [
        (
            "a result on standard output",
            format!("print!(\"{answer}passed 10/10\"); vec![]"),
            "expected a vector of 2, got a vector of 0",
        ),
        (
            "answers of its own, then others",
            format!("{to_file} x.to_vec()"),
            "answers to 2 calls: other code than the harness",
        ),
        (
            "answers of its own, then exit(0)",
            format!("{to_file} std::process::exit(0)"),
            "call 2 of 2, double: no answer",
        ),
        ("an answer in a panic's words", format!("panic!(\"x\\nend\\n{answer}\")"), "it panicked"),
        ("NaN", "vec![f64::NAN; x.len()]".into(), "got [NaN, NaN]"),
        ("a number too few", "vec![2.0]".into(), "expected a vector of 2, got a vector of 1"),
        ("a known mistake", "x.iter().map(|x| x * x).collect()".into(), "That is the square."),
    ];
    for (what, body, words) in &cases {
        fails(what, &course.grade(&double(body)), words);
    }
    let text = normbook_grade::formats::terminal::text(
        &course.grade(&double("print!(\"\\x1b[2J\\rpassed\"); vec![]")),
        |_| false,
    );
    assert!(text.contains("| ") && !text.contains(['\x1b', '\r']), "{text}");
}

#[test]
fn what_lies_outside_is_neither_read_nor_changed() {
    if !is_isolated() {
        return;
    }
    let course = Course::new();
    let (hidden, tests) = (course.hidden(), course.tests());
    let before = std::fs::read(&tests).unwrap();
    let outside = std::env::temp_dir().join(format!("normbook-grade-outside-{}", std::process::id()));
    let attempt = |call: String| double(&format!("{call}.unwrap(); x.iter().map(|x| 2.0 * x).collect()"));
    let cases = [
        ("reads the hidden tests", format!("std::fs::read_to_string({hidden:?})")),
        ("lists the folder of the tests", format!("std::fs::read_dir({:?})", course.path())),
        ("deletes the tests", format!("std::fs::remove_file({tests:?})")),
        ("edits the tests", format!("std::fs::write({tests:?}, \"[]\")")),
        ("writes a file outside", format!("std::fs::write({outside:?}, \"\")")),
        ("writes a file next to its answers", "std::fs::write(\"more\", \"\")".into()),
        ("reads who is on this machine", "std::fs::read_to_string(\"/etc/passwd\")".into()),
        ("reads what the grader is told", "std::fs::read_to_string(\"../scratch/input\")".into()),
        ("changes the program of later tests", "std::fs::write(std::env::current_exe().unwrap(), \"\")".into()),
        ("starts a shell", "std::process::Command::new(\"/bin/sh\").spawn()".into()),
        (
            "calls somebody",
            "std::net::TcpStream::connect(\"127.0.0.1:1\").map_err(|e| \
             (e.kind() == std::io::ErrorKind::PermissionDenied).then_some(\"Permission denied\"))"
                .into(),
        ),
    ];
    for (what, call) in &cases {
        fails(what, &course.grade(&attempt(call.clone())), "ermission denied");
    }
    assert!(std::fs::read(&tests).unwrap() == before && !outside.exists());
}

#[test]
fn a_build_does_not_read_what_lies_outside() {
    if !is_isolated() {
        return;
    }
    let course = Course::new();
    let hidden = course.hidden();
    let secret = course.path().join("secret.rs");
    std::fs::write(&secret, "pub fn secret() {}").unwrap();
    let cases = [
        ("include_str! of the hidden tests", format!("const HIDDEN: &str = include_str!({hidden:?});")),
        ("include! of a file outside", format!("include!({secret:?});")),
        ("a module outside", format!("#[path = {secret:?}]\nmod secret;")),
        (
            "the tests, by way of its own folder",
            "const T: &str = include_str!(\"../../../../../../etc/passwd\");".into(),
        ),
    ];
    for (what, line) in &cases {
        let report = course.grade(&format!("{line}\n{RIGHT}"));
        let problem = report.problem.clone().unwrap_or_default();
        println!("{what:<40} {}", problem.lines().nth(1).unwrap_or_default());
        assert!(problem.contains("Permission denied") && !problem.contains("1554"), "{what}: {problem}");
        assert_eq!(report.points(), 0);
    }
}

#[test]
fn a_build_without_an_end_is_ended() {
    let mut course = Course::new();
    course.builder.compiler_limits.seconds = 4;
    let report = course.grade(&format!(
        "const X: u64 = {{ let mut i = 0u64; while i < u64::MAX {{ i += 1; }} i }};\npub static Y: u64 = X;\n{RIGHT}"
    ));
    let problem = report.problem.unwrap();
    assert!(problem.contains("did not finish within 4 s"), "{problem}");
}

/// The message names the compiler if it crashes, and leaves out the compiler's own backtrace.
#[test]
fn a_build_that_breaks_the_compiler_is_told_so() {
    let mut course = Course::new();
    course.builder.compiler_limits.memory = 3 << 30;
    let nested = format!("pub fn nested() -> u64 {{ {}1{} }}", "(".repeat(60_000), ")".repeat(60_000));
    let cases = [
        ("nested without an end", nested.as_str(), "the compiler overflowed its stack"),
        (
            "a macro that doubles itself",
            "macro_rules! m { ($($t:tt)*) => { m! { $($t)* $($t)* x } } } m! { a }",
            "the compiler needs more memory than the limit of 3 GiB",
        ),
    ];
    for (what, code, words) in cases {
        let report = course.grade(&format!("{code}\n{RIGHT}"));
        let problem = report.problem.unwrap();
        println!("{what:<40} {}", problem.lines().nth(1).unwrap_or_default());
        assert!(problem.contains(words) && !problem.contains("backtrace") && !problem.contains(".so("), "{problem}");
    }
}

/// Neither a program that keeps starting itself nor one that leaves a process outlives its test.
#[test]
fn processes_end_with_their_test() {
    let course = Course::new();
    let marker = format!("left-by-{}", std::process::id());
    let spawn = format!(
        "std::process::Command::new(std::env::current_exe().unwrap()).arg(\"{marker}\")\
         .stdin(std::process::Stdio::piped()).spawn()"
    );
    let bomb = double(&format!("loop {{ if let Ok(child) = {spawn} {{ std::mem::forget(child); }} }}"));
    fails("a fork bomb", &course.grade(&bomb), "did not finish within 3 s");
    assert_eq!(processes_with(&marker), 0);
    let orphan = double(&format!("std::mem::forget({spawn}); x.iter().map(|x| 2.0 * x).collect()"));
    let start = Instant::now();
    let report = course.grade(&orphan);
    assert_eq!(report.points(), 10, "it answers, and the process that it leaves costs no points");
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(processes_with(&marker), 0);
    let threads = double(
        "let all: Vec<_> = (0..1000).map(|_| std::thread::Builder::new().spawn(|| std::thread::park())).collect();\
         all.into_iter().find(Result::is_err).unwrap().unwrap(); vec![]",
    );
    fails("a thousand threads", &course.grade(&threads), "it panicked");
}

#[test]
fn the_grader_cannot_be_killed() {
    if !is_isolated() {
        return;
    }
    let body = include_str!("common/kills_its_parent.txt");
    fails("kills its parent", &Course::new().grade(&double(body)), "not permitted");
}

/// A program can neither leave data for the next test nor send data to another machine.
#[test]
fn only_answers_leave_a_program() {
    if !is_isolated() {
        return;
    }
    let course = Course::new();
    let body = include_str!("common/leaves_a_note.txt");
    for (what, attempt) in [
        ("leaves shared memory", "shmget(1554, 4096, 0o1666)"),
        ("leaves counters", "semget(1554, 1, 0o1666)"),
        ("leaves a message", "msgget(1554, 0o1666)"),
    ] {
        fails(what, &course.grade(&double(&body.replace("ATTEMPT", attempt))), "not permitted");
    }
    for (what, attempt) in [
        ("changes permissions", "chmod(c\"/proc/self\".as_ptr(), 0)"),
        ("leaves a note on its input", "fsetxattr(0, c\"user.note\".as_ptr(), c\"1\".as_ptr(), 1, 0)"),
        ("limits its parent", "prlimit(getppid(), 7, [0u64; 2].as_ptr(), std::ptr::null_mut())"),
        (
            "hides in a session of its own",
            "if fork() == 0 { std::process::exit((setsid() < 0) as i32) } else { let mut status = 0; \
             wait(&mut status); if status >> 8 == 1 { std::panic::panic_any(\"not permitted\") } else { 0 } }",
        ),
    ] {
        fails(what, &course.grade(&double(&body.replace("ATTEMPT", attempt))), "not permitted");
    }
    let datagram = "std::net::UdpSocket::bind(\"127.0.0.1:0\").unwrap(); vec![]";
    fails("writes to somebody (UDP)", &course.grade(&double(datagram)), "not permitted");
}

#[test]
fn only_plain_source_files_are_taken() {
    let course = Course::new();
    let folder = course.submit(RIGHT);
    // A build script and a manifest are ignored.
    std::fs::write(folder.join("build.rs"), "fn main() { panic!() }").unwrap();
    std::fs::write(folder.join("Cargo.toml"), "[dependencies]\nnothing = \"9\"").unwrap();
    assert_eq!(course.grade_folder(&folder).points(), 10);
    // As macOS unpacks an archive.
    let wrapped = course.path().join("archive");
    std::fs::create_dir_all(wrapped.join("__MACOSX")).unwrap();
    normbook_grade::files::copy_folder(&folder, &wrapped.join("my solution")).unwrap();
    assert_eq!(course.grade_folder(&wrapped).points(), 10);
    // A whole handout, whose own `src` is the library.
    let handout = course.path().join("whole");
    normbook_grade::files::write(&handout.join("src/lib.rs"), "").unwrap();
    normbook_grade::files::copy_folder(&folder.join("src"), &handout.join("assignments/a0/src")).unwrap();
    assert_eq!(course.grade_folder(&handout).points(), 10);
    let refused = |words: &str| {
        let report = course.grade_folder(&folder);
        let problem = report.problem.unwrap_or_default();
        println!("{words:<40} {problem}");
        assert!(problem.contains(words) && report.tests.iter().all(|test| !test.passed()), "{words}: {problem}");
    };
    let extra = folder.join("src/extra.rs");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(course.hidden(), &extra).unwrap();
        refused("extra.rs is not a plain file");
        std::fs::remove_file(&extra).unwrap();
        std::os::unix::fs::symlink(Path::new("/"), folder.join("src/all")).unwrap();
        assert_eq!(course.grade_folder(&folder).points(), 10, "a link to a folder is not followed");
    }
    std::fs::write(&extra, [0xFF, 0xFE]).unwrap();
    refused("not text in UTF-8");
    std::fs::write(&extra, vec![b' '; 2 << 20]).unwrap();
    refused("larger than 1024 KiB");
    std::fs::remove_file(&extra).unwrap();
    std::fs::create_dir(&extra).unwrap();
    refused("extra.rs is a folder");
    std::fs::remove_dir(&extra).unwrap();
    std::fs::rename(folder.join("src/lib.rs"), folder.join("src/other.rs")).unwrap();
    refused("src/lib.rs is missing");
}

fn processes_with(marker: &str) -> usize {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(marker)).count()
}
