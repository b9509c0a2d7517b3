//! Compiles a submission: the student's crate and the harness around it, in a temporary folder.
//!
//! It calls the compiler directly. A submission therefore brings no manifest, build script, configuration or
//! dependency, and a build needs no network. The compiler runs in the sandbox like the program, because `include_str!`
//! reads files when a crate is built.

use crate::assignment::Assignment;
use crate::files;
use crate::library::Library;
use crate::sandbox::{self, Limits, SandboxedCommand, Scratch, Termination};
use crate::submission::Sources;
use crate::toolchain::Toolchain;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

const COMPILER_LIMITS: Limits =
    Limits { seconds: 60, memory: 8 << 30, file: 512 << 20, open_files: 1024, processes: 128 };
const PROGRAM_LIMITS: Limits = Limits { seconds: 10, memory: 2 << 30, file: 16 << 20, open_files: 32, processes: 8 };
/// How many lines of the compiler's output a student sees.
const SHOWN_LINES: usize = 60;

/// Builds submissions.
pub struct Builder {
    /// The grader's own program, which runs the sandbox.
    grader: PathBuf,
    pub toolchain: Toolchain,
    /// The folder that holds `assignments`.
    root: PathBuf,
    library: OnceLock<Library>,
    pub compiler_limits: Limits,
    pub program_limits: Limits,
}

/// A submission as an executable program, in a temporary folder that is removed with this value.
pub struct BuiltSubmission {
    /// The grader's own program, which runs the sandbox.
    pub grader: PathBuf,
    pub program: PathBuf,
    /// Where the program runs and writes its answers.
    pub run_folder: PathBuf,
    /// What no submission can read: its inputs before they are given, and its printed output.
    pub scratch_folder: PathBuf,
    /// The limits of each run.
    pub limits: Limits,
    _temporary: TempDir,
}

/// The error holds the compiler's output.
pub type BuildResult = std::result::Result<BuiltSubmission, String>;

impl Builder {
    pub fn new(root: &Path, grader: PathBuf) -> Result<Self> {
        Ok(Self {
            grader,
            toolchain: Toolchain::find()?,
            root: root.to_owned(),
            library: OnceLock::new(),
            compiler_limits: COMPILER_LIMITS,
            program_limits: PROGRAM_LIMITS,
        })
    }

    /// Builds a submission to an assignment.
    pub fn build(&self, submission: &Sources, assignment: &Assignment) -> Result<BuildResult> {
        let library = if assignment.metadata.library { Some(self.library()?) } else { None };
        let temporary = tempfile::Builder::new().prefix("normbook-grade-").tempdir_in(sandbox::temporary_folder());
        let temporary = temporary.context("cannot create a temporary folder")?;
        let folder = |name: &str| -> Result<PathBuf> {
            let path = temporary.path().join(name);
            files::make_folder(&path).map(|()| path)
        };
        let (work, out, scratch_folder) = (folder("work")?, folder("work/out")?, folder("scratch")?);
        let (run_folder, finished) = (folder("run")?, folder("program")?);
        // The user who runs a submission must reach this folder, except `scratch`.
        files::set_mode(temporary.path(), 0o755)?;
        files::set_mode(&scratch_folder, 0o700)?;
        self.write_sources(submission, assignment, &work)?;
        let submitted = ["--crate-name=submission", "--crate-type=rlib", "-Copt-level=1", "src/lib.rs"];
        // Not optimized: the harness does little work, and optimizing it would take most of the build.
        let harness = [
            "--crate-name=harness",
            "--crate-type=bin",
            "--extern=submission=out/libsubmission.rlib",
            "harness/main.rs",
        ];
        for arguments in [&submitted[..], &harness] {
            let command = self.compiler_command(&work, &out, arguments, library);
            let scratch = Scratch { folder: &scratch_folder, input: "" };
            let (end, printed) = sandbox::run(&self.grader, &command, &scratch)?;
            if end != Termination::Exit(0) {
                return Ok(Err(compiler_message(end, &printed, &command.limits)));
            }
        }
        // The program lies where the user who runs it cannot change it.
        let name = format!("harness{}", std::env::consts::EXE_SUFFIX);
        let program = finished.join(&name);
        files::copy(&out.join(&name), &program)?;
        let limits = if library.is_some() { for_training(self.program_limits) } else { self.program_limits };
        let grader = self.grader.clone();
        Ok(Ok(BuiltSubmission { grader, program, run_folder, scratch_folder, limits, _temporary: temporary }))
    }

    /// Writes the submission and the harness into the folder in which the compiler runs.
    fn write_sources(&self, submission: &Sources, assignment: &Assignment, work: &Path) -> Result<()> {
        for (path, text) in submission {
            files::write(&work.join("src").join(path), text)?;
        }
        let harness = self.root.join("assignments/harness");
        for from in [harness.join("main.rs"), harness.join("wire.rs"), assignment.folder.join("harness.rs")] {
            let to = work.join("harness").join(from.file_name().unwrap_or_default());
            // Not its permissions: on a grading service only root may read the original.
            files::write(&to, &files::read(&from)?)?;
        }
        Ok(())
    }

    fn library(&self) -> Result<&Library> {
        if let Some(library) = self.library.get() {
            return Ok(library);
        }
        let library = Library::build(&self.root)?;
        Ok(self.library.get_or_init(|| library))
    }

    fn compiler_command(
        &self,
        work: &Path,
        out: &Path,
        arguments: &[&str],
        library: Option<&Library>,
    ) -> SandboxedCommand {
        // As in `cargo build`, but with a panic where a number overflows, and optimized only where `arguments` say so.
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
        // With the library the compiler has more to read and to link.
        let slower = if library.is_some() { 4 } else { 1 };
        SandboxedCommand {
            program: self.toolchain.compiler.clone(),
            arguments: arguments.chain(library.iter().flat_map(|library| library.arguments())).collect(),
            environment: vec![("PATH".into(), path), ("TMPDIR".into(), temporary)],
            folder: work.to_owned(),
            readable,
            writable: vec![out.to_owned()],
            sets_permissions: true,
            limits: Limits { seconds: slower * self.compiler_limits.seconds, ..self.compiler_limits },
        }
    }
}

/// The limits of a program that trains networks.
fn for_training(limits: Limits) -> Limits {
    Limits { seconds: 12 * limits.seconds, memory: 2 * limits.memory, ..limits }
}

/// Gives what the compiler printed about the submission, without what it prints about itself when it crashes.
fn compiler_message(end: Termination, printed: &str, limits: &Limits) -> String {
    let is_about_itself = |line: &str| {
        ["error: rustc interrupted", "memory allocation of", "stack backtrace", "thread 'rustc'"]
            .iter()
            .any(|beginning| line.starts_with(beginning))
    };
    let lines: Vec<&str> = printed.lines().take_while(|line| !is_about_itself(line)).take(SHOWN_LINES).collect();
    let end = match end {
        Termination::Exit(1) => String::new(),
        end => format!("{}\n", end.describe("the compiler", printed, limits)),
    };
    format!("{end}{}", lines.join("\n"))
}
