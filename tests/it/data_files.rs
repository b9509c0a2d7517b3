//! Data files: the embedded ones are those listed in data/SHA256SUMS, and damaged ones get one clear error.

use flate2::{Compression, write::GzEncoder};
use normbook::data::fashion_mnist::{FILES, Files};
use normbook::data::images::Source;
use normbook_fingerprint::sha256;
use std::io::Write;
use std::path::Path;

#[test]
fn the_embedded_files_are_the_listed_ones() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let listed = std::fs::read_to_string(data.join("SHA256SUMS")).unwrap();
    let mut files = 0;
    for line in listed.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(sha256(&std::fs::read(data.join(name)).unwrap()), sum, "{name}");
        files += 1;
    }
    assert_eq!(files, 6);
    for (name, sum) in Files::embedded().stamps() {
        assert!(listed.contains(&format!("{sum}  {}", name.strip_prefix("data/").unwrap())), "{name}");
    }
}

/// IDX with the given header words and bytes, packed.
fn packed(words: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for word in words {
        encoder.write_all(&word.to_be_bytes()).unwrap();
    }
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn images(count: u32) -> Vec<u8> {
    packed(&[2051, count, 28, 28], &(0..count * 784).map(|pixel| (pixel % 251) as u8).collect::<Vec<_>>())
}

fn labels(count: u32) -> Vec<u8> {
    packed(&[2049, count], &vec![3; count as usize])
}

/// A folder with good files, one of them replaced (or taken away).
fn folder(name: &str, contents: Option<Vec<u8>>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, good) in FILES.iter().zip([images(4), labels(4), images(2), labels(2)]) {
        std::fs::write(folder.path().join(file), good).unwrap();
    }
    match contents {
        Some(bytes) => std::fs::write(folder.path().join(name), bytes).unwrap(),
        None => std::fs::remove_file(folder.path().join(name)).unwrap(),
    }
    folder
}

#[test]
fn damaged_files_get_one_clear_error_each() {
    let whole = images(4);
    let mut corrupted = whole.clone();
    let middle = corrupted.len() / 2;
    corrupted[middle] ^= 0x55;
    let mut checksum = whole.clone();
    let at = checksum.len() - 8;
    checksum[at] ^= 0xff;
    let unpacked = [2051u32, 1, 28, 28].iter().flat_map(|word| word.to_be_bytes()).chain([0; 784]).collect();
    let [train_images, train_labels, test_images, test_labels] = FILES;
    let damages: [(&str, Option<Vec<u8>>, &str); 17] = [
        (train_images, None, "cannot read"),
        (train_images, Some(vec![]), "it is empty"),
        (train_images, Some(unpacked), "not packed with gzip"),
        (train_images, Some(whole[..whole.len() / 2].to_vec()), "truncated or damaged"),
        (train_images, Some(corrupted), "damaged"),
        (train_images, Some(checksum), "truncated or damaged"),
        (train_images, Some(labels(4)), "it holds labels, not images"),
        (train_labels, Some(images(4)), "it holds images, not labels"),
        (train_images, Some(packed(&[2051, 4, 28, 28], &[7; 100])), "promises"),
        (train_images, Some(packed(&[2051, 4, 32, 32], &[7; 4096])), "not 28 × 28"),
        (
            train_images,
            Some(packed(&[2051, 4, 28, 28], &[7; 4 * 28 * 28])),
            "all pixels of the training images are the same",
        ),
        (train_labels, Some(labels(5)), "4 images but 5 labels"),
        (train_labels, Some(packed(&[2049, 4], &[1, 2, 77, 3])), "label 77 is above 9"),
        (train_images, Some(packed(&[1234, 4], &[1])), "magic number is 1234"),
        (test_images, Some(packed(&[2051, 2, 32, 32], &[7; 2048])), "not 28 × 28"),
        (test_labels, Some(labels(3)), "2 images but 3 labels"),
        (test_labels, Some(images(2)), "it holds images, not labels"),
    ];
    for (name, contents, complaint) in damages {
        let folder = folder(name, contents);
        let result = Files::from_folder(folder.path()).and_then(|files| files.load());
        let error = format!("{:#}", result.expect_err(complaint));
        println!("{error}");
        assert!(error.contains(complaint) && error.contains(name), "{complaint}: {error}");
    }
    let good = folder(train_labels, Some(labels(4)));
    let data = Files::from_folder(good.path()).unwrap().load().unwrap();
    assert_eq!((data.train.len(), data.test.len()), (4, 2));
}

#[test]
fn a_folder_that_is_none_is_named() {
    let missing = Path::new("no/such/folder");
    let error = Files::from_folder(missing).err().unwrap().to_string();
    assert!(error.contains("--data-dir: no/such/folder is not a folder"), "{error}");
}

/// Root may read everything, so this shows nothing when run as root.
#[test]
#[cfg(unix)]
fn a_folder_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(FILES[0], Some(images(4)));
    let allow = |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    allow(0o000);
    let result = Files::from_folder(folder.path());
    let may_read_everything = std::fs::read_dir(folder.path()).is_ok();
    allow(0o755);
    match result {
        Err(error) => assert!(format!("{error:#}").contains("cannot read"), "{error:#}"),
        Ok(_) => assert!(may_read_everything, "a folder without permission was read"),
    }
}
