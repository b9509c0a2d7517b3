//! An assignment, as its folder describes it.

use crate::files;
use crate::starter::starter;
use crate::submission::{self, Sources};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// The folder `assignments/aN`.
pub struct Assignment {
    pub name: String,
    pub folder: PathBuf,
    pub metadata: Metadata,
}

/// `assignment.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    pub title: String,
    /// The time that a student needs.
    pub minutes: u32,
    pub about: String,
    /// The files that a student may change; every other file is given.
    pub files: Vec<String>,
    /// Whether a submission is built with the library of the book.
    #[serde(default)]
    pub library: bool,
}

/// A known-wrong solution: a change of the reference solution, and the tests that it must fail.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongSolution {
    pub name: String,
    /// The message for a student who makes this mistake.
    pub says: String,
    pub file: String,
    pub replace: String,
    pub with: String,
    /// The tests that must fail; all others must pass.
    pub fails: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrongSolutions {
    wrong: Vec<WrongSolution>,
}

/// Finds the folder that holds `assignments`: the current folder or one above it.
pub fn find_root() -> Result<PathBuf> {
    let here = std::env::current_dir().context("the current folder does not exist")?;
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().chain(built_in.ancestors()).find(|folder| folder.join("assignments/harness").is_dir());
    found.map(Path::to_owned).context(
        "there is no folder `assignments` here or in a folder above: start cargo grade in the folder of the course",
    )
}

/// The names of all assignments: the folders in `assignments` that have a `harness.rs`, which `grader` and `harness`
/// lack.
pub fn names(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("assignments");
    let folders = files::entries(&folder)?.into_iter().filter(|path| path.join("harness.rs").is_file());
    Ok(folders.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
}

impl Assignment {
    pub fn open(root: &Path, name: &str) -> Result<Self> {
        let name = name.to_lowercase();
        let known = names(root)?;
        ensure!(known.contains(&name), "there is no assignment {name:?}; the assignments are {}", known.join(", "));
        let folder = root.join("assignments").join(&name);
        let metadata = read_toml(&folder.join("assignment.toml"))?;
        Ok(Self { name, folder, metadata })
    }

    pub fn heading(&self) -> String {
        format!("{}. {}", self.name.to_uppercase(), self.metadata.title)
    }

    /// Whether this is a handout, which has no reference solution.
    pub fn is_handout(&self) -> bool {
        self.starter_folder().is_dir()
    }

    /// The folder of a handout that keeps the starter.
    pub fn starter_folder(&self) -> PathBuf {
        self.folder.join("starter")
    }

    /// Reads the reference solution, with its markers.
    pub fn reference(&self) -> Result<Sources> {
        ensure!(!self.is_handout(), "a handout has no reference solution: use the repository of the book");
        submission::read(&self.folder, &self.name)
    }

    /// Gives the files that a student starts with.
    pub fn starter(&self) -> Result<Sources> {
        if self.is_handout() {
            return submission::read(&self.starter_folder(), &self.name);
        }
        let of = |(path, text): (String, String)| {
            let text = starter(&text).with_context(|| format!("{} of {}", path, self.name))?;
            Ok((path, text))
        };
        self.reference()?.into_iter().map(of).collect()
    }

    /// Completes a submission: the given files replace the student's copies of them.
    pub fn with_given_files(&self, mut submission: Sources) -> Result<Sources> {
        for file in self.editable_files() {
            ensure!(submission.contains_key(file), "src/{file} is missing from the submission");
        }
        let own: Vec<&str> = self.editable_files().collect();
        let given = self.starter()?.into_iter().filter(|(path, _)| !own.contains(&path.as_str()));
        submission.extend(given);
        Ok(submission)
    }

    /// The files that a student may change, below `src`.
    pub fn editable_files(&self) -> impl Iterator<Item = &str> {
        self.metadata.files.iter().map(|file| file.strip_prefix("src/").unwrap_or(file))
    }

    /// Reads the known-wrong solutions.
    pub fn wrong_solutions(&self) -> Result<Vec<WrongSolution>> {
        Ok(read_toml::<WrongSolutions>(&self.folder.join("wrong.toml"))?.wrong)
    }
}

impl WrongSolution {
    /// Gives the reference solution with this mistake.
    pub fn apply(&self, reference: &Sources) -> Result<Sources> {
        let mut sources = reference.clone();
        let path = self.file.strip_prefix("src/").unwrap_or(&self.file);
        let Some(text) = sources.get_mut(path) else {
            bail!("wrong.toml, {}: there is no file {}", self.name, self.file)
        };
        let count = text.matches(&self.replace).count();
        ensure!(
            count == 1,
            "wrong.toml, {}: {} contains the replaced text {count} times instead of once",
            self.name,
            self.file
        );
        *text = text.replace(&self.replace, &self.with);
        Ok(sources)
    }
}

fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    toml::from_str(&files::read(path)?).with_context(|| format!("{} is not valid", path.display()))
}
