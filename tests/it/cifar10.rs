//! CIFAR-10's binary version, on small files in its format: whole ones are read, damaged ones get one clear error.

use normbook::data::cifar10::{FILES, Files};
use normbook::data::image_data::ImageData;
use normbook::data::images::Source;
use normbook::data::{dataset::Dataset, fashion_mnist};
use normbook::net::convolutional::VGG_A;
use normbook::norm::NormKind;
use normbook::probe::santurkar::{CNN, cnn, deep, fits};
use normbook::probe::{probed_training::ProbedTraining, subject::Subject};
use normbook::train::classifier::Architecture::{self, Convolutional, Mlp};
use normbook_lab::Scale;
use std::path::Path;
use tempfile::TempDir;

/// So many images: image i has label i mod 10, and its pixels tell channel, row and column apart.
fn file(images: usize) -> Vec<u8> {
    let pixel = |place: usize| (place / 1024 * 80 + place / 32 % 32 + place % 32) as u8;
    (0..images).flat_map(|image| std::iter::once((image % 10) as u8).chain((0..3072).map(pixel))).collect()
}

/// A folder with good files, one of them replaced or taken away.
fn folder(name: &str, contents: Option<Vec<u8>>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    match contents {
        Some(bytes) => std::fs::write(folder.path().join(name), bytes).unwrap(),
        None => std::fs::remove_file(folder.path().join(name)).unwrap(),
    }
    folder
}

fn write_all(folder: &Path) {
    for name in FILES {
        std::fs::write(folder.join(name), file(4)).unwrap();
    }
}

#[test]
fn whole_files_are_read_in_order() {
    let folder = folder(FILES[5], Some(file(3)));
    let data = Files::from_folder(folder.path()).unwrap().load().unwrap();
    assert_eq!((data.train.len(), data.test.len(), data.train.shape()), (5 * 4, 3, [3, 32, 32]));
    assert_eq!(data.train.labels()[..8], [0, 1, 2, 3, 0, 1, 2, 3]);
    let pixels = data.test.pixels(&candle_core::Device::Cpu).unwrap();
    assert_eq!(pixels.dims(), [3, 3, 32, 32]);
    let at = |image: usize, channel: usize, row: usize, column: usize| {
        let pixel = pixels.get(image).unwrap().get(channel).unwrap().get(row).unwrap().get(column).unwrap();
        pixel.to_scalar::<f32>().unwrap() * 255.0
    };
    assert_eq!(
        [at(0, 0, 0, 0), at(1, 1, 0, 0), at(2, 2, 5, 0), at(2, 2, 5, 7)].map(f32::round),
        [0.0, 80.0, 165.0, 172.0]
    );
}

#[test]
fn damaged_files_get_one_clear_error_each() {
    let mut label = file(4);
    label[3073 * 2] = 77;
    let gzip = [vec![0x1f, 0x8b], vec![0; 100]].concat();
    let test = FILES[5];
    let damages: [(&str, Option<Vec<u8>>, &str); 9] = [
        (FILES[2], None, "cannot read"),
        (FILES[0], Some(vec![]), "it is empty"),
        (FILES[0], Some(file(4)[..3073 * 4 - 1].to_vec()), "no multiple of the 3073"),
        (test, Some(file(2)[..5000].to_vec()), "truncated, damaged, or not the binary version"),
        (test, Some([file(1), vec![0]].concat()), "no multiple of the 3073"),
        (FILES[3], Some(label), "label 77 of image 2 is above 9"),
        (FILES[1], Some(file(3)), "it has 3 images and data_batch_1.bin has 4"),
        (FILES[4], Some(gzip), "packed with gzip"),
        (FILES[4], Some(vec![0; 3073 * 10_001]), "a file of CIFAR-10's binary version has 30730000 at most"),
    ];
    for (name, contents, complaint) in damages {
        let folder = folder(name, contents);
        let result = Files::from_folder(folder.path()).and_then(|files| files.load());
        let error = format!("{:#}", result.expect_err(complaint));
        println!("{error}");
        assert!(error.contains(complaint) && error.contains(name), "{complaint}: {error}");
    }
    let constant = tempfile::tempdir().unwrap();
    for name in FILES {
        std::fs::write(constant.path().join(name), vec![3; 3073 * 2]).unwrap();
    }
    let error = format!("{:#}", Files::from_folder(constant.path()).unwrap().load().unwrap_err());
    assert!(error.contains("all pixels of the training images are the same"), "{error}");
}

#[test]
fn the_flag_finds_the_files_where_the_archive_puts_them() {
    let folder = tempfile::tempdir().unwrap();
    let images = |folder: &Path| ImageData { data_dir: Some(folder.to_owned()) }.labelled(Scale::Paper);
    let unpacked = folder.path().join("cifar-10-batches-bin");
    std::fs::create_dir(&unpacked).unwrap();
    write_all(&unpacked);
    for place in [folder.path(), &unpacked] {
        let data = images(place).unwrap();
        assert_eq!(data.shape(), [3, 32, 32]);
        assert!(data.stamps().keys().all(|name| name.starts_with("data/cifar-10/")));
    }
    std::fs::remove_file(unpacked.join(FILES[5])).unwrap();
    let error = format!("{:#}", images(folder.path()).err().unwrap());
    assert!(error.contains("cannot read") && error.contains("test_batch.bin"), "{error}");
    std::fs::write(folder.path().join(fashion_mnist::FILES[0]), "images").unwrap();
    let error = images(folder.path()).err().unwrap().to_string();
    assert!(error.contains("has files of two data sets"), "{error}");
}

/// Chapters 6 to 9: VGG-A where it has as many layers, batches of 128, and a norm that must fit it.
#[test]
fn the_images_choose_the_net() {
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path());
    let cifar = Dataset::new(&Files::from_folder(folder.path()).unwrap()).unwrap();
    let fashion = Dataset::new(&fashion_mnist::Files::embedded()).unwrap();
    let net = |study: ProbedTraining| -> (Architecture, usize) {
        let Subject::Classifier(training) = study.subject else { panic!("a classifier") };
        (training.architecture, training.batch_size)
    };
    let at_depth = |data, depth| net(deep(data, depth, NormKind::BATCH, 1));
    assert!(matches!(at_depth(&cifar, 8), (Convolutional(stages), 128) if stages == VGG_A));
    assert!(matches!(at_depth(&cifar, 14), (Mlp(widths), 128) if widths == [100; 14]));
    assert!(matches!(at_depth(&fashion, 8), (Mlp(widths), 128) if widths == [100; 8]));
    let cnn = |data| net(cnn(data, NormKind::BATCH, 0.1, 1));
    assert!(matches!(cnn(&cifar), (Convolutional(stages), 128) if stages == VGG_A));
    assert!(matches!(cnn(&fashion), (Convolutional(stages), 64) if stages == CNN));
    for (data, channels) in [(&cifar, 64), (&fashion, 8)] {
        fits(NormKind::Group(2), data).unwrap();
        let error = fits(NormKind::Group(5), data).unwrap_err().to_string();
        assert!(error.contains(&format!("5 groups do not divide the {channels} channels")), "{error}");
    }
}
