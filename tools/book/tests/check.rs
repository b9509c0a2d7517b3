//! What the book refuses to say: every way in which pages and evidence can part, in a copy of the tree.

mod tree;

use tree::{PAGE, RECORD, TIMINGS, Tree};

#[test]
fn the_committed_evidence_is_fresh() {
    Tree::new().book().arg("--check").assert().success();
}

#[test]
fn a_comment_changes_nothing() {
    let tree = Tree::new();
    tree.edit("src/train/tabular.rs", "//! A small net", "//! Another word on a small net");
    tree.edit("crates/lab/src/seed.rs", "use sha2", "// A remark.\nuse sha2");
    tree.edit("crates/lab/src/plot/style.rs", "= 18;", "= 18; // A number that no result depends on.");
    tree.book().arg("--check").assert().success();
}

#[test]
fn a_changed_constant_is_stale_and_named() {
    let tree = Tree::new();
    tree.edit("src/train/tabular.rs", "SAMPLES_PER_DECADE: u32 = 20", "SAMPLES_PER_DECADE: u32 = 21");
    tree.refuses("ch01: src/train/tabular.rs changed");
}

/// A chapter's own helper, an operation in another crate, and an `impl` that a macro makes for a type of the library.
#[test]
fn code_that_only_a_chapter_or_another_crate_has_is_seen() {
    let tree = Tree::new();
    tree.edit("chapters/ch01_feature_normalization/quadratic.rs", "fn ", "fn one_more() {}\nfn ");
    tree.refuses("ch01: chapters/ch01_feature_normalization/quadratic.rs changed");
    let tree = Tree::new();
    tree.edit("crates/ops/src/sgd.rs", "fn ", "fn one_more() {}\nfn ");
    tree.refuses("ch01: crates/ops/src/sgd.rs changed");
    let tree = Tree::new();
    let made = "\nmacro_rules! made { ($t:ty) => { impl Drop for $t { fn drop(&mut self) {} } } }\nmade!(Mlp);\n";
    std::fs::write(tree.path("src/net/made.rs"), format!("use super::mlp::Mlp;{made}")).unwrap();
    tree.refuses("ch01: src/net/made.rs is new");
}

#[test]
fn words_are_no_evidence() {
    let tree = Tree::new();
    let words = "chapters/ch01_feature_normalization/claims.toml";
    tree.edit(words, "Standardised features need", "Features that are standardised need");
    tree.book().arg("--check").assert().success();
    tree.edit(words, "[net]", "[nett]");
    tree.refuses("claims.toml has no words for claim net");
}

#[test]
fn changed_data_are_stale_and_named() {
    let tree = Tree::new();
    tree.edit("data/tabular/wine.csv", "14.23", "14.24");
    tree.refuses("ch01: data/tabular/wine.csv changed");
}

#[test]
fn another_version_or_feature_of_a_numeric_crate_is_stale_and_named() {
    let tree = Tree::new();
    let lock = tree.read("Cargo.lock");
    let after = &lock[lock.find("name = \"nalgebra\"").unwrap()..];
    let version = after.split('"').nth(3).unwrap();
    let (old, new) =
        (format!("name = \"nalgebra\"\nversion = \"{version}\""), "name = \"nalgebra\"\nversion = \"9.9.9\"");
    tree.edit("Cargo.lock", &old, new);
    tree.refuses(&format!("ch01: nalgebra went from version {version} with std to 9.9.9 with std"));
    let tree = Tree::new();
    tree.edit(
        "Cargo.toml",
        "nalgebra = { version = \"0.35\", default-features = false, features = [\"std\"]",
        "nalgebra = { version = \"0.35\", features = [\"std\", \"rayon\"]",
    );
    tree.refuses("with std to");
}

#[test]
fn a_digit_changed_by_hand_is_seen() {
    let tree = Tree::new();
    tree.edit(RECORD, "\"condition_number\": 45.5208", "\"condition_number\": 45.5209");
    tree.refuses("its digest does not match its contents");
}

#[test]
fn a_field_added_by_hand_is_seen() {
    let tree = Tree::new();
    tree.edit(RECORD, "\"schema\": 1,", "\"schema\": 1,\n \"nonsense\": 42,");
    tree.refuses("its digest does not match its contents");
}

/// A record of another protocol is whole in itself, and still not the committed evidence.
#[test]
fn a_record_of_another_protocol_is_refused() {
    let tree = Tree::new();
    let mut record = normbook_lab::record::Record::read(&tree.path(RECORD)).unwrap();
    record.committed = false;
    record.write(&tree.path(RECORD)).unwrap();
    tree.refuses("the record is not that of the committed protocol");
}

/// Whoever can compute a digest can write one.
#[test]
fn a_verdict_that_its_rule_does_not_give_is_refused() {
    let tree = Tree::new();
    let mut record = normbook_lab::record::Record::read(&tree.path(RECORD)).unwrap();
    record.claims[0].verdict = normbook_lab::verdict::Verdict::Weaker;
    record.write(&tree.path(RECORD)).unwrap();
    tree.refuses("ch01: its verdicts are not what its rules say of its measurements");
}

#[test]
fn costs_that_were_changed_by_hand_are_named() {
    let tree = Tree::new();
    tree.edit("benches/norms.json", "\"rounds\": ", "\"rounds\": 1");
    tree.refuses("benches/norms.json: its digest does not match its contents");
}

#[test]
fn a_stray_in_figures_is_named() {
    let tree = Tree::new();
    std::fs::create_dir(tree.path("figures/ch99")).unwrap();
    tree.refuses("figures/ch99 belongs to no chapter");
}

#[test]
fn a_deleted_page_is_not_made_again_in_silence() {
    let tree = Tree::new();
    std::fs::remove_file(tree.path("book/src/candle.md")).unwrap();
    tree.refuses("candle.md");
    assert!(!tree.path("book/src/candle.md").exists());
}

#[test]
fn an_unknown_key_of_a_figure_is_named() {
    let tree = Tree::new();
    let figures = "chapters/ch01_feature_normalization/figures.toml";
    tree.edit(figures, "x = { label = \"w₁\" }", "x = { label = \"w₁\", colour = 1 }");
    tree.refuses(figures);
}

#[test]
fn a_missing_record_is_named() {
    let tree = Tree::new();
    std::fs::remove_file(tree.path(RECORD)).unwrap();
    tree.refuses("cannot read");
}

#[test]
fn a_deleted_or_changed_figure_is_named() {
    let tree = Tree::new();
    std::fs::remove_file(tree.path("figures/ch01/net-loss.svg")).unwrap();
    tree.refuses("figures/ch01/net-loss.svg is missing");
    let tree = Tree::new();
    tree.edit("figures/ch01/net-loss.svg", "<polyline", "<polyline data-touched=\"\"");
    tree.refuses("figures/ch01/net-loss.svg is not what the record gives");
    let tree = Tree::new();
    std::fs::write(tree.path("figures/ch01/old.svg"), "<svg/>").unwrap();
    tree.refuses("figures/ch01/old.svg belongs to no figure");
}

#[test]
fn misspelt_keys_are_named_with_file_and_line() {
    for (old, new, complaint) in [
        ("raw/steps_to_1_percent", "raw/steps_to_1_procent", "has no value \"raw/steps_to_1_procent\""),
        ("{{claim ch01 | net}}", "{{claim ch01 | nett}}", "has no claim \"nett\""),
        ("net-loss |", "net-los |", "has no figure \"net-los\""),
        ("{{steps ch01}}", "{{stepz ch01}}", "no directive {{stepz}}"),
        ("quadratic.rs:closed_form", "quadratic.rs:closed_from", "has no anchor closed_from"),
        (
            "ch01_feature_normalization/quadratic.rs:",
            "ch01_feature_normalization/quadratics.rs:",
            "no file ../../chapters/ch01_feature_normalization/quadratics.rs",
        ),
        ("$\\eta$", "$\\etta$", "$\\etta$"),
        ("{{claim ch01 | net}}", "{{claim ch01 | net}} {{claim ch01 | net}}", "claim net of ch01 has a box already"),
        ("{{claim ch01 | net}}", "{{claim ch01 | net}} It grew by 97.31 %.", "97.31 % is typed by hand"),
    ] {
        let tree = Tree::new();
        tree.edit(PAGE, old, new);
        tree.refuses(complaint);
        tree.refuses(&format!("{PAGE}:"));
    }
}

#[test]
fn timings_that_are_missing_or_changed_by_hand_are_named() {
    let tree = Tree::new();
    tree.edit(TIMINGS, "\"ratio\": ", "\"ratio\": 1");
    tree.refuses("benches/versus_pytorch.json: its digest does not match its contents");
    std::fs::remove_file(tree.path(TIMINGS)).unwrap();
    tree.refuses("cannot read benches/versus_pytorch.json; `python benches/versus_pytorch.py` writes it");
}

#[test]
fn misspelt_timings_are_named_with_file_and_line() {
    for (directive, complaint) in [
        ("{{speed mpl | 1 | ratio}}", "has no work \"mpl\" on 1 threads; it has mlp, "),
        ("{{speed mlp | 1 | ratoi}}", "no number \"ratoi\"; there are ours, "),
        ("{{speed mlp | one | ratio}}", "threads are 1 or all, not \"one\""),
        ("{{speed peak | 1 | gem}}", "no peak \"gem\"; there are ours, "),
        ("{{speed}}", "speed takes 1, all, "),
    ] {
        let tree = Tree::new();
        tree.edit("book/src/speed.md", "{{speed machine}}", directive);
        tree.refuses(complaint);
        tree.refuses("book/src/speed.md:");
    }
}

#[test]
fn evidence_on_no_page_is_named() {
    let tree = Tree::new();
    tree.edit(PAGE, "{{claim ch01 | whitening}}", "");
    tree.refuses("ch01 whitening is on no page");
}

#[test]
fn a_readme_that_says_what_the_records_do_not_is_named() {
    for (old, new, complaint) in [
        ("2.6×", "3.6×", "README.md: its answer is not what book/src/index.md and the records give"),
        (" reproduced (", " contradicted (", "README.md: its answer is not what"),
        ("## Map", "It grew by 97.31 %.\n\n## Map", "97.31 % is typed by hand"),
        ("figures/ch05/accuracy-by-rate.svg", "figures/ch05/nosuch.svg", "no file figures/ch05/nosuch.svg to link to"),
        ("<!-- end -->", "", "README.md has no line <!-- end -->"),
    ] {
        let tree = Tree::new();
        tree.edit("README.md", old, new);
        tree.refuses(complaint);
    }
    let tree = Tree::new();
    tree.edit("book/src/index.md", "<!-- ANCHOR: answer -->", "");
    tree.refuses("book/src/index.md has no line <!-- ANCHOR: answer -->");
}

#[test]
fn the_built_book_has_no_directive_left_and_asks_for_nothing_from_outside() {
    let tree = Tree::new();
    tree.book().assert().success();
    let mut pages = 0;
    for entry in std::fs::read_dir(tree.path("book/book")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "html") {
            continue;
        }
        let html = std::fs::read_to_string(&path).unwrap();
        pages += 1;
        // `${{ … }}` is GitHub's.
        assert!(!html.replace("${{", "").contains("{{"), "{}: a directive is left", path.display());
        for tag in ["<script src=\"http", "<link rel=\"stylesheet\" href=\"http", "<img src=\"http", "url(http"] {
            assert!(!html.contains(tag), "{}: {tag}", path.display());
        }
    }
    assert!(pages >= 5);
    let page = std::fs::read_to_string(tree.path("book/book/ch01_feature_normalization.html")).unwrap();
    assert!(page.contains("<math") && page.contains("<svg") && page.contains("id=\"claim-ch01-steps\""));
}

#[test]
fn mdbook_gets_a_banner_instead_of_a_failure_when_evidence_is_stale() {
    let tree = Tree::new();
    tree.edit("src/train/tabular.rs", "SAMPLES_PER_DECADE: u32 = 20", "SAMPLES_PER_DECADE: u32 = 21");
    let content = tree.read(PAGE);
    let chapter = serde_json::json!({"Chapter": {
        "name": "Feature normalization", "content": content, "number": null, "sub_items": [],
        "path": "ch01_feature_normalization.md", "source_path": "ch01_feature_normalization.md", "parent_names": [],
    }});
    let context = serde_json::json!({
        "root": tree.path("book"), "config": {"book": {"src": "src"}}, "renderer": "html", "mdbook_version": "0.5.4",
    });
    let input = serde_json::to_string(&(context, serde_json::json!({"items": [chapter]}))).unwrap();
    let output = tree.book().arg("preprocess").write_stdin(input).assert().success().get_output().stdout.clone();
    let text = String::from_utf8(output).unwrap();
    assert!(text.contains("Stale evidence") && text.contains("src/train/tabular.rs changed"), "{text}");
}

#[test]
fn an_unknown_chapter_is_named() {
    let output = Tree::new().book().args(["--rerun", "77"]).assert().failure().get_output().stderr.clone();
    let said = String::from_utf8(output).unwrap();
    assert!(said.contains("--rerun 77: no such chapter; there are ch01"), "{said}");
}
