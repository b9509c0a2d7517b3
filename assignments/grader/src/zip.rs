//! A zip archive, as APPNOTE.TXT of PKWARE describes it: files one after the other, each behind a header, and a directory at the
//! end. Written here, for there is not much to it, and every student would have to build a crate that only teachers need.

use anyhow::{Context, Result};
use flate2::{Compression, Crc, write::DeflateEncoder};
use std::io::Write;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// 2.0, which knows deflate.
const VERSION: u16 = 20;
/// Whose permissions are in the directory.
const UNIX: u16 = 3 << 8;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
const DEFLATE: u16 = 8;
/// 1 January 1980, so that the same files give the same archive.
const DATE: u16 = 1 << 5 | 1;
const REGULAR_FILE: u32 = 0o100_000;

/// An archive that grows in memory.
#[derive(Default)]
pub struct Zip {
    files: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Zip {
    /// `name` has `/` between folders; `mode` is that of Unix, such as 0o644.
    pub fn add(&mut self, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(bytes)?;
        let packed = deflate.finish()?;
        let place = size(self.files.len())?;
        // What both headers say.
        let mut about = Vec::new();
        for number in [VERSION, FLAGS, DEFLATE, 0, DATE] {
            about.extend(number.to_le_bytes());
        }
        for number in [crc.sum(), size(packed.len())?, size(bytes.len())?] {
            about.extend(number.to_le_bytes());
        }
        let length = u16::try_from(name.len()).with_context(|| format!("the name {name} is too long for a zip"))?;
        about.extend(length.to_le_bytes());
        about.extend(0u16.to_le_bytes());
        for part in [&LOCAL.to_le_bytes()[..], &about, name.as_bytes(), &packed] {
            self.files.extend(part);
        }
        self.directory.extend(CENTRAL.to_le_bytes());
        self.directory.extend((UNIX | VERSION).to_le_bytes());
        self.directory.extend(about);
        // No comment, the first disk, no internal attributes.
        self.directory.extend([0; 6]);
        self.directory.extend(((REGULAR_FILE | mode) << 16).to_le_bytes());
        self.directory.extend(place.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count = self.count.checked_add(1).context("too many files for a zip")?;
        Ok(())
    }

    /// The whole archive.
    pub fn finish(self) -> Result<Vec<u8>> {
        let (place, length) = (size(self.files.len())?, size(self.directory.len())?);
        let mut archive = self.files;
        archive.extend(self.directory);
        archive.extend(END.to_le_bytes());
        archive.extend([0; 4]);
        archive.extend(self.count.to_le_bytes());
        archive.extend(self.count.to_le_bytes());
        archive.extend(length.to_le_bytes());
        archive.extend(place.to_le_bytes());
        archive.extend(0u16.to_le_bytes());
        Ok(archive)
    }
}

fn size(count: usize) -> Result<u32> {
    u32::try_from(count).context("the zip is larger than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden bytes, which Info-ZIP's unzip and Python's zipfile read.
    #[test]
    fn an_archive_is_headers_files_and_a_directory() {
        let mut zip = Zip::default();
        zip.add("a/b", 0o755, b"bbbbbbbbbbbbbbbb").unwrap();
        let archive = zip.finish().unwrap();
        assert_eq!(archive.len(), 30 + 3 + 5 + 46 + 3 + 22, "{archive:02x?}");
        assert_eq!(&archive[..10], b"PK\x03\x04\x14\0\0\x08\x08\0");
        assert_eq!(&archive[30..33], b"a/b");
        // The directory begins where the end says that it does.
        let end = archive.len() - 22;
        let place = u32::from_le_bytes(archive[end + 16..end + 20].try_into().unwrap()) as usize;
        assert_eq!(&archive[place..place + 4], b"PK\x01\x02");
        assert_eq!(archive[place + 38..place + 42], (0o100_755u32 << 16).to_le_bytes());
    }
}
