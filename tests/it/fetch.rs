//! `tools/cifar10`, with a small archive at an address on this machine.
#![cfg(unix)]

use normbook::data::cifar10::FILES;
use normbook_fingerprint::sha256;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const SCRIPT: &str = include_str!("../../tools/cifar10");
/// What the script knows of the archive.
const SHA256: &str = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd";
const BYTES: &str = "bytes=170052171";
const PARTIAL: &str = "normbook/cifar-10-binary.tar.gz.part";

/// An archive, a script that knows it in the true one's place, and an empty cache.
struct Place {
    folder: TempDir,
    archive: Vec<u8>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let unpacked = folder.path().join("cifar-10-batches-bin");
        std::fs::create_dir(&unpacked).unwrap();
        for name in FILES {
            std::fs::write(unpacked.join(name), "images").unwrap();
        }
        let packed = folder.path().join("archive.tar.gz");
        let mut tar = Command::new("tar");
        tar.arg("-czf").arg(&packed).arg("-C").arg(folder.path()).arg("cifar-10-batches-bin");
        assert!(tar.status().unwrap().success());
        let archive = std::fs::read(&packed).unwrap();
        assert!(SCRIPT.contains(SHA256) && SCRIPT.contains(BYTES));
        let script = SCRIPT.replace(SHA256, &sha256(&archive)).replace(BYTES, &format!("bytes={}", archive.len()));
        std::fs::write(folder.path().join("script"), script).unwrap();
        Self { folder, archive }
    }

    fn fetch(&self, url: &str) -> Output {
        let script = self.folder.path().join("script");
        let cache = self.folder.path().join("cache");
        Command::new("bash").arg(script).arg(url).env("XDG_CACHE_HOME", cache).output().unwrap()
    }

    fn url(&self) -> String {
        format!("file://{}", self.folder.path().join("archive.tar.gz").display())
    }

    fn cached(&self, name: &str) -> PathBuf {
        self.folder.path().join("cache").join(name)
    }

    /// Leaves what an interrupted download would have.
    fn begun(&self, bytes: &[u8]) {
        std::fs::create_dir_all(self.cached("normbook")).unwrap();
        std::fs::write(self.cached(PARTIAL), bytes).unwrap();
    }

    /// The archive is unpacked, nothing else is left, and the folder is told.
    fn assert_there(&self, output: &Output) {
        assert!(output.status.success(), "{}", error(output));
        let folder = self.cached("normbook/cifar-10-batches-bin");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), folder.display().to_string());
        assert_eq!(std::fs::read_to_string(folder.join("test_batch.bin")).unwrap(), "images");
        assert_eq!(names(&self.cached("normbook")), ["cifar-10-batches-bin", "lock"]);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_is_fetched_once() {
    let place = Place::new();
    place.assert_there(&place.fetch(&place.url()));
    place.assert_there(&place.fetch("file:///not/asked/again"));
}

/// The end alone has another hash, so that the beginning was taken as it was.
#[test]
fn a_download_that_was_interrupted_goes_on() {
    let place = Place::new();
    place.begun(&place.archive[..place.archive.len() / 2]);
    place.assert_there(&place.fetch(&place.url()));
    let whole = Place::new();
    whole.begun(&whole.archive);
    whole.assert_there(&whole.fetch("file:///not/asked/again"));
}

#[test]
fn what_is_damaged_is_removed_and_can_be_fetched_again() {
    let place = Place::new();
    place.begun(&vec![0; place.archive.len() / 2]);
    let output = place.fetch(&place.url());
    assert!(!output.status.success() && error(&output).contains("its SHA-256 is not"), "{}", error(&output));
    assert_eq!(names(&place.cached("normbook")), ["lock"]);
    place.begun(&vec![0; place.archive.len() + 1]);
    place.assert_there(&place.fetch(&place.url()));
}

/// A file that is shorter than what there is cannot be gone on with.
#[test]
fn what_cannot_be_gone_on_with_is_fetched_from_the_start() {
    let place = Place::new();
    let script = place.folder.path().join("script");
    let longer = std::fs::read_to_string(&script).unwrap().replace("bytes=", "bytes=9");
    std::fs::write(script, longer).unwrap();
    place.begun(&vec![0; place.archive.len() + 1]);
    place.assert_there(&place.fetch(&place.url()));
}

/// Elsewhere there may be no locks.
#[cfg(target_os = "linux")]
#[test]
fn two_at_once_fetch_it_once() {
    let place = Place::new();
    let fetch = || place.fetch(&place.url());
    std::thread::scope(|scope| {
        let others = [(); 3].map(|()| scope.spawn(fetch));
        others.into_iter().for_each(|other| place.assert_there(&other.join().unwrap()));
    });
}

#[test]
fn a_folder_that_is_not_whole_is_refused() {
    let place = Place::new();
    std::fs::create_dir_all(place.cached("normbook/cifar-10-batches-bin")).unwrap();
    let output = place.fetch(&place.url());
    assert!(!output.status.success() && error(&output).contains("is not all of CIFAR-10: remove it"));
    let output = place.fetch("--help");
    assert!(!output.status.success() && error(&output).contains("usage: tools/cifar10"));
}

#[test]
fn without_the_net_it_says_what_to_do_by_hand() {
    let place = Place::new();
    place.begun(&place.archive[..5]);
    let output = place.fetch("file:///no/such/archive");
    let error = error(&output);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(error.contains("cannot fetch file:///no/such/archive") && error.contains("--data-dir"), "{error}");
    assert_eq!(std::fs::read(place.cached(PARTIAL)).unwrap(), place.archive[..5], "what has come is kept");
}
