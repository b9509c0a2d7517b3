//! `cargo chapter`.

use assert_cmd::Command;

fn launcher() -> Command {
    Command::cargo_bin("normbook-chapter").unwrap()
}

#[test]
fn the_list_names_every_chapter() {
    let output = launcher().arg("--list").assert().success().get_output().stdout.clone();
    let said = String::from_utf8(output).unwrap();
    assert!(said.contains("  1  Chapter 1: feature normalization  (ch01-feature-normalization)"), "{said}");
    assert!(said.contains("\n 8b  Chapter 8b: the theorems, run  (ch08b-theorems)"), "{said}");
}

#[test]
fn wrong_numbers_are_answered() {
    for (arguments, complaint) in [
        (vec![], "usage: cargo chapter NUMBER"),
        (vec!["77"], "there is no chapter 77; there are 1"),
        (vec!["one"], "\"one\" is no number"),
    ] {
        let output = launcher().args(arguments).assert().failure().get_output().stderr.clone();
        let said = String::from_utf8(output).unwrap();
        assert!(said.contains(complaint), "{said}");
    }
}
