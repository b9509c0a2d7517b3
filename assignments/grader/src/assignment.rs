//! An assignment as its folder tells of it.

use crate::files;
use crate::starter::starter;
use crate::submission::{self, Sources};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// `assignments/aN`.
pub struct Assignment {
    pub name: String,
    pub folder: PathBuf,
    pub about: About,
}

/// `assignment.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub title: String,
    /// The expected time.
    pub minutes: u32,
    pub about: String,
    /// What a student may change; every other file is given.
    pub files: Vec<String>,
    /// Whether it is built with the library of the book.
    #[serde(default)]
    pub library: bool,
}

/// A known-wrong solution: a change of the reference, and what it must come to.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    pub name: String,
    /// The message that a student needs who has made this mistake.
    pub says: String,
    pub file: String,
    pub replace: String,
    pub with: String,
    /// The tests that must fail; all others must pass.
    pub fails: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrongs {
    wrong: Vec<Wrong>,
}

/// The folder that holds `assignments`, from here upwards.
pub fn find_root() -> Result<PathBuf> {
    let here = std::env::current_dir().context("the current folder is gone")?;
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().chain(built_in.ancestors()).find(|folder| folder.join("assignments/harness").is_dir());
    found
        .map(Path::to_owned)
        .context("no folder `assignments` from here upwards: start this program in the folder of the course")
}

/// The names of all assignments: the folders in `assignments` that have a `harness.rs`, which `grader` and `harness` lack.
pub fn names(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("assignments");
    let folders = files::entries(&folder)?.into_iter().filter(|path| path.join("harness.rs").is_file());
    Ok(folders.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
}

impl Assignment {
    pub fn open(root: &Path, name: &str) -> Result<Self> {
        let name = name.to_lowercase();
        let known = names(root)?;
        ensure!(known.contains(&name), "there is no assignment {name:?}; there are {}", known.join(", "));
        let folder = root.join("assignments").join(&name);
        let about = read_toml(&folder.join("assignment.toml"))?;
        Ok(Self { name, folder, about })
    }

    pub fn heading(&self) -> String {
        format!("{}. {}", self.name.to_uppercase(), self.about.title)
    }

    /// Whether this is a student's copy, which has no reference solution.
    pub fn is_handout(&self) -> bool {
        self.starter_folder().is_dir()
    }

    /// Where a handout keeps what a student began with.
    pub fn starter_folder(&self) -> PathBuf {
        self.folder.join("starter")
    }

    /// The reference solution, markers and all.
    pub fn reference(&self) -> Result<Sources> {
        ensure!(!self.is_handout(), "the reference solutions are not in this folder: use the repository of the book");
        submission::read(&self.folder, &self.name)
    }

    /// What a student begins with.
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

    /// A submission with the files that are given in the place of the student's copies of them.
    pub fn with_given_files(&self, mut submission: Sources) -> Result<Sources> {
        for file in self.own_files() {
            ensure!(submission.contains_key(file), "src/{file} is missing from the submission");
        }
        let own: Vec<&str> = self.own_files().collect();
        let given = self.starter()?.into_iter().filter(|(path, _)| !own.contains(&path.as_str()));
        submission.extend(given);
        Ok(submission)
    }

    /// The files that a student may change, below `src`.
    pub fn own_files(&self) -> impl Iterator<Item = &str> {
        self.about.files.iter().map(|file| file.strip_prefix("src/").unwrap_or(file))
    }

    pub fn wrongs(&self) -> Result<Vec<Wrong>> {
        Ok(read_toml::<Wrongs>(&self.folder.join("wrong.toml"))?.wrong)
    }
}

impl Wrong {
    /// The reference with this mistake in it.
    pub fn apply(&self, reference: &Sources) -> Result<Sources> {
        let mut sources = reference.clone();
        let path = self.file.strip_prefix("src/").unwrap_or(&self.file);
        let Some(text) = sources.get_mut(path) else { bail!("{}: there is no {}", self.name, self.file) };
        let count = text.matches(&self.replace).count();
        ensure!(count == 1, "{}: what it replaces stands {count} times in {}, not once", self.name, self.file);
        *text = text.replace(&self.replace, &self.with);
        Ok(sources)
    }
}

fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    toml::from_str(&files::read(path)?).with_context(|| format!("{} cannot be understood", path.display()))
}
