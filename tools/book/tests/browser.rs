//! Every page of the built book in headless Chromium: see tools/browser/test.mjs. Skipped, with a notice, where
//! Chromium, Node.js or the two packages are missing; NORMBOOK_REQUIRE_BROWSER makes that a failure.

mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;
use tree::Tree;

fn program(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let candidates = folders.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    candidates.into_iter().find(|path| path.is_file())
}

#[test]
fn every_page_is_sound_in_a_browser() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../browser");
    let chromium = program(&["chromium", "chromium-browser", "google-chrome", "chrome.exe"]);
    let node = program(&["node", "node.exe"]);
    let (Some(chromium), Some(node), true) = (chromium, node, tools.join("node_modules").is_dir()) else {
        let missing = "browser test skipped: it needs Chromium, Node.js and `npm ci` in tools/browser";
        assert!(std::env::var_os("NORMBOOK_REQUIRE_BROWSER").is_none(), "{missing}");
        eprintln!("{missing}");
        return;
    };
    let tree = Tree::new();
    tree.book().assert().success();
    let output =
        Command::new(node).arg(tools.join("test.mjs")).arg(tree.path("book/book")).arg(chromium).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
