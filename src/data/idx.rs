//! IDX files, the format of MNIST: a big-endian magic number and sizes, then bytes; packed with gzip.
//!
//! The whole file is checked before any of it is given out. Errors say what is wrong; the caller names the file.

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use std::io::Read;

/// Magic number of unsigned bytes in one dimension (labels).
const LABELS: u32 = 2049;
/// Magic number of unsigned bytes in three dimensions (images).
const IMAGES: u32 = 2051;
/// No file of this format that we read unpacks to more (60,000 images of 28 × 28 are 47 MB).
const LARGEST: u64 = 1 << 30;

/// Unsigned bytes with a shape: `[N]` for labels, `[N, H, W]` for images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// Reads gzip-packed labels, `[N]`.
pub fn labels(packed: &[u8]) -> Result<Idx> {
    parse(packed, LABELS, "labels")
}

/// Reads gzip-packed images, `[N, H, W]`.
pub fn images(packed: &[u8]) -> Result<Idx> {
    parse(packed, IMAGES, "images")
}

fn parse(packed: &[u8], magic: u32, what: &str) -> Result<Idx> {
    let raw = unpack(packed)?;
    let word = |index: usize| -> Result<u32> {
        let bytes = raw.get(4 * index..4 * index + 4).context("it ends inside its header")?;
        Ok(u32::from_be_bytes(bytes.try_into().expect("four bytes")))
    };
    match word(0)? {
        found if found == magic => {}
        LABELS => bail!("it holds labels, not {what}"),
        IMAGES => bail!("it holds images, not {what}"),
        found => bail!("its magic number is {found}, not the {magic} of IDX {what}"),
    }
    let dimensions = (magic & 0xff) as usize;
    let shape: Vec<usize> = (1..=dimensions).map(|index| Ok(word(index)? as usize)).collect::<Result<_>>()?;
    ensure!(shape.iter().all(|size| *size > 0), "its header says it is empty: sizes {shape:?}");
    let expected = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    let bytes = &raw[4 * (1 + dimensions)..];
    ensure!(
        expected == Some(bytes.len()),
        "its header promises {shape:?} bytes, but {} follow: truncated or damaged",
        bytes.len()
    );
    Ok(Idx { shape, bytes: bytes.to_vec() })
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>> {
    ensure!(!packed.is_empty(), "it is empty");
    ensure!(packed.starts_with(&[0x1f, 0x8b]), "it is not packed with gzip");
    let mut raw = Vec::new();
    let read = GzDecoder::new(packed).take(LARGEST + 1).read_to_end(&mut raw);
    read.context("its gzip stream is truncated or damaged")?;
    ensure!(raw.len() as u64 <= LARGEST, "it unpacks to more than 1 GiB");
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn pack(raw: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(raw).unwrap();
        encoder.finish().unwrap()
    }

    fn header(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn whole_files_are_read() {
        let raw = [header(&[IMAGES, 2, 1, 3]), vec![1, 2, 3, 4, 5, 6]].concat();
        assert_eq!(images(&pack(&raw)).unwrap(), Idx { shape: vec![2, 1, 3], bytes: vec![1, 2, 3, 4, 5, 6] });
        let raw = [header(&[LABELS, 2]), vec![9, 0]].concat();
        assert_eq!(labels(&pack(&raw)).unwrap(), Idx { shape: vec![2], bytes: vec![9, 0] });
    }

    #[test]
    fn damage_is_named() {
        let good = [header(&[LABELS, 2]), vec![9, 0]].concat();
        let packed = pack(&good);
        let half = &packed[..packed.len() / 2];
        let mut flipped = packed.clone();
        let last = flipped.len() - 6;
        flipped[last] ^= 0xff;
        for (file, complaint) in [
            (vec![], "empty"),
            (good.clone(), "not packed with gzip"),
            (half.to_vec(), "truncated or damaged"),
            (flipped, "truncated or damaged"),
            (pack(&[0, 0, 8]), "ends inside its header"),
            (pack(&header(&[LABELS])), "ends inside its header"),
            (pack(&header(&[LABELS, 0])), "it is empty"),
            (pack(&header(&[77, 2])), "magic number is 77"),
            (pack(&[header(&[IMAGES, 1, 1, 1]), vec![0]].concat()), "holds images, not labels"),
            (pack(&good[..9]), "promises [2] bytes, but 1 follow"),
            (pack(&[good, vec![0]].concat()), "promises [2] bytes, but 3 follow"),
        ] {
            let error = format!("{:#}", labels(&file).unwrap_err());
            assert!(error.contains(complaint), "{error}");
        }
        let huge = header(&[IMAGES, u32::MAX, u32::MAX, u32::MAX]);
        assert!(images(&pack(&huge)).unwrap_err().to_string().contains("promises"));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for file in [bytes.clone(), pack(&bytes), pack(&[header(&[IMAGES]), bytes].concat())] {
                let _ = images(&file);
                let _ = labels(&file);
            }
        }
    }
}
