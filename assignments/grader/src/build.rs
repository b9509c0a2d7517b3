//! From a submission to a program: the student's crate and the harness around it, compiled in a folder of their own.
//!
//! The compiler is called directly. So there is no manifest, no build script, no configuration and no dependency that a
//! submission could bring, and a build needs no network. It is contained like the program: `include_str!` reads files when
//! a crate is built.

use crate::assignment::Assignment;
use crate::contain::{self, Desk, End, Limits, Plan};
use crate::files;
use crate::library::Library;
use crate::submission::Sources;
use crate::toolchain::Toolchain;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Of the compiler.
const COMPILER_LIMITS: Limits =
    Limits { seconds: 60, memory: 8 << 30, file: 512 << 20, open_files: 1024, processes: 128 };
/// Of the program that it builds.
const PROGRAM_LIMITS: Limits = Limits { seconds: 10, memory: 2 << 30, file: 16 << 20, open_files: 32, processes: 8 };
const SHOWN_LINES: usize = 60;

/// What builds and runs submissions.
pub struct Workshop {
    /// The grader's own program.
    pub guard: PathBuf,
    pub toolchain: Toolchain,
    /// The folder that holds `assignments`.
    pub root: PathBuf,
    library: OnceLock<Library>,
    pub build_limits: Limits,
    pub run_limits: Limits,
}

/// A submission that was built.
pub struct Built {
    /// The grader's own program.
    pub guard: PathBuf,
    pub program: PathBuf,
    /// For answers: the only place where the program may write.
    pub shelf: PathBuf,
    /// For what no submission sees.
    pub desk: PathBuf,
    /// Of each run.
    pub limits: Limits,
    _scratch: TempDir,
}

/// The words of the compiler, if it did not build.
pub type Build = std::result::Result<Built, String>;

impl Workshop {
    pub fn new(root: &Path, guard: PathBuf) -> Result<Self> {
        Ok(Self {
            guard,
            toolchain: Toolchain::find()?,
            root: root.to_owned(),
            library: OnceLock::new(),
            build_limits: COMPILER_LIMITS,
            run_limits: PROGRAM_LIMITS,
        })
    }

    /// Builds a submission to an assignment.
    pub fn build(&self, submission: &Sources, assignment: &Assignment) -> Result<Build> {
        let library = if assignment.about.library { Some(self.library()?) } else { None };
        let scratch = tempfile::Builder::new().prefix("normbook-grade-").tempdir_in(contain::scratch());
        let scratch = scratch.context("cannot make a folder")?;
        let folder = |name: &str| -> Result<PathBuf> {
            let path = scratch.path().join(name);
            files::make_folder(&path).map(|()| path)
        };
        let (work, out, desk) = (folder("work")?, folder("work/out")?, folder("desk")?);
        let (shelf, finished) = (folder("shelf")?, folder("program")?);
        // Whoever runs a submission has to reach this folder, and not the desk.
        files::set_mode(scratch.path(), 0o755)?;
        files::set_mode(&desk, 0o700)?;
        for (path, text) in submission {
            files::write(&work.join("src").join(path), text)?;
        }
        for file in ["main.rs", "wire.rs"] {
            copy_text(&self.root.join("assignments/harness").join(file), &work.join("harness").join(file))?;
        }
        copy_text(&assignment.folder.join("harness.rs"), &work.join("harness/harness.rs"))?;
        let submitted = ["--crate-name=submission", "--crate-type=rlib", "-Copt-level=1", "src/lib.rs"];
        // Not optimised: it does nothing that takes time, and its build would take most of it.
        let program = [
            "--crate-name=harness",
            "--crate-type=bin",
            "--extern=submission=out/libsubmission.rlib",
            "harness/main.rs",
        ];
        for arguments in [&submitted[..], &program[..]] {
            let plan = self.plan(&work, &out, arguments, library);
            let (end, printed) = contain::run(&self.guard, &plan, &Desk { folder: &desk, input: "" })?;
            if end != End::Exit(0) {
                return Ok(Err(shown(end, &printed, &self.limits(library))));
            }
        }
        // Out of the reach of whoever runs it.
        let name = format!("harness{}", std::env::consts::EXE_SUFFIX);
        let program = finished.join(&name);
        files::copy(&out.join(&name), &program)?;
        let limits = if library.is_some() { training(self.run_limits) } else { self.run_limits };
        Ok(Ok(Built { guard: self.guard.clone(), program, shelf, desk, limits, _scratch: scratch }))
    }

    fn library(&self) -> Result<&Library> {
        if let Some(library) = self.library.get() {
            return Ok(library);
        }
        let library = Library::build(&self.root)?;
        Ok(self.library.get_or_init(|| library))
    }

    /// Of the compiler: with the library there is more to read and to link.
    fn limits(&self, library: Option<&Library>) -> Limits {
        let times = if library.is_some() { 4 } else { 1 };
        Limits { seconds: times * self.build_limits.seconds, ..self.build_limits }
    }

    fn plan(&self, work: &Path, out: &Path, arguments: &[&str], library: Option<&Library>) -> Plan {
        // As `cargo build` would, but quick, and with a panic where a number overflows.
        let common = [
            "--edition=2024",
            "--color=never",
            "--cap-lints=allow",
            "-Coverflow-checks=on",
            "-Cstrip=debuginfo",
            "--out-dir=out",
        ];
        let path = std::env::var("PATH").unwrap_or_default();
        let temporary = out.to_string_lossy().into_owned();
        let tools = ["/bin", "/usr/bin", "/usr/libexec", "/usr/local/bin", "/etc/alternatives"].map(PathBuf::from);
        let mut readable = vec![work.to_owned(), self.toolchain.folder.clone()];
        readable.extend(tools);
        readable.extend(library.iter().flat_map(|library| library.files()));
        let arguments = common.iter().chain(arguments).map(|argument| (*argument).to_owned());
        Plan {
            program: self.toolchain.compiler.clone(),
            arguments: arguments.chain(library.iter().flat_map(|library| library.arguments())).collect(),
            environment: vec![("PATH".into(), path), ("TMPDIR".into(), temporary)],
            folder: work.to_owned(),
            readable,
            writable: vec![out.to_owned()],
            sets_permissions: true,
            limits: self.limits(library),
        }
    }
}

/// Of a program that trains networks.
fn training(limits: Limits) -> Limits {
    Limits { seconds: 12 * limits.seconds, memory: 2 * limits.memory, ..limits }
}

/// What the compiler says of the submission, without what it says of itself where it breaks down.
fn shown(end: End, printed: &str, limits: &Limits) -> String {
    let is_about_itself = |line: &str| {
        ["error: rustc interrupted", "memory allocation of", "stack backtrace", "thread 'rustc'"]
            .iter()
            .any(|beginning| line.starts_with(beginning))
    };
    let lines: Vec<&str> = printed.lines().take_while(|line| !is_about_itself(line)).take(SHOWN_LINES).collect();
    let how =
        if end == End::Exit(1) { String::new() } else { format!("{}\n", end.words("the compiler", printed, limits)) };
    format!("{how}{}", lines.join("\n"))
}

/// Without its permissions: on a grading service nobody but root reads the original.
fn copy_text(from: &Path, to: &Path) -> Result<()> {
    files::write(to, &files::read(from)?)
}
