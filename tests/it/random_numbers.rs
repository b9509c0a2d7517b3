//! Nothing but `seed.rs` draws a random number, so that a seed decides all of a run.

use std::path::{Path, PathBuf};

const DRAWS: [&str; 10] = [
    "Tensor::rand",
    "Tensor::randn",
    "Var::rand",
    "rand::",
    "rand_",
    "thread_rng",
    "set_seed",
    "Init::Rand",
    "init::",
    "dropout(",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn only_seed_rs_draws_random_numbers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> = ["crates/ops/src", "crates/lab/src", "src", "chapters"]
        .iter()
        .flat_map(|folder| sources(&root.join(folder)))
        .collect();
    assert!(files.len() > 30);
    for file in files.iter().filter(|file| !file.ends_with("crates/lab/src/seed.rs")) {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap();
            for draw in DRAWS {
                assert!(
                    !line.contains(draw),
                    "{}:{}: {draw} outside of crates/lab/src/seed.rs",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}
