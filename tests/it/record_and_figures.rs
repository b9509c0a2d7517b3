//! The layout of a record and the figures drawn from it, byte for byte: a change here changes every committed file.

use normbook_lab::judgement::judge;
use normbook_lab::plot;
use normbook_lab::protocol::Protocol;
use normbook_lab::provenance::MadeBy;
use normbook_lab::record::{Record, SCHEMA, derived_values};
use normbook_lab::trial::{FINAL_LOSS, Grid, Outcome, Series, StepsToTarget, TARGET, Trace};
use normbook_lab::trials::{TrialRecord, Trials};
use normbook_lab::words::Words;
use normbook_lab::{Claim, Scale, at_least, steps, within};
use serde_json::json;

/// A small record, made by hand: two seeded arms, one of whose runs diverged, and an exact one with a grid.
fn record() -> Record {
    let seeded = |arm: &str, seed: u64, rate: f64| {
        let mut trace = Trace::default();
        let steps: Vec<f64> = (0..20).map(f64::from).collect();
        let losses = steps.iter().map(|step| (1.0 + 0.1 * seed as f64) / (1.0 + rate * step)).collect();
        trace.series.insert("train_loss".into(), Series { x: steps, y: losses });
        let step = if rate > 0.5 { Some(5 + seed) } else { None };
        trace.reached.insert(TARGET.into(), StepsToTarget { step, budget: 19 });
        trace.values.insert(FINAL_LOSS.into(), 1.0 / 3.0 / rate);
        if arm == "slow" && seed == 4 {
            trace.outcome = Outcome::Diverged { step: 12 };
        }
        TrialRecord { arm: arm.into(), seed: Some(seed), trace: trace.rounded() }
    };
    let mut exact = Trace::default();
    let axis: Vec<f64> = (0..9).map(|index| f64::from(index) / 4.0 - 1.0).collect();
    let z = axis.iter().flat_map(|y| axis.iter().map(move |x| x * x + 4.0 * y * y)).collect();
    exact.grids.insert("loss".into(), Grid { x: axis.clone(), y: axis, z });
    exact.series.insert("path".into(), Series { x: vec![-0.75, 0.5, 0.0], y: vec![0.75, -0.25, 0.0] });
    exact.values.insert("kappa".into(), 4.0);
    let mut trials: Vec<TrialRecord> = (0..5).map(|seed| seeded("slow", seed, 0.1)).collect();
    trials.extend((0..5).map(|seed| seeded("fast", seed, 1.0)));
    trials.push(TrialRecord { arm: "bowl".into(), seed: None, trace: exact.rounded() });
    let trials = Trials { trials };
    let claims = [
        Claim::ratio("fast", at_least(1.5, 1.0)).headline().at("the end", steps("slow") / steps("fast")),
        Claim::exact("kappa", within(4.0, 0.0)).values("kappa", &["bowl"]),
    ];
    let claims = judge(&claims, &Words::parse(WORDS).unwrap(), &trials, true).unwrap();
    let arms = [("slow".to_owned(), json!({"learning_rate": 0.1}))].into();
    let flags = json!({"table": "none"});
    Record {
        schema: SCHEMA,
        chapter: "ch00".into(),
        title: "Made by hand".into(),
        committed: false,
        protocol: Protocol {
            scale: Scale::Book,
            seeds: (0..5).collect(),
            pilot_seeds: vec![1000],
            steps: 19,
            flags: flags.clone(),
        },
        values: derived_values(&flags, &arms, trials.trials.iter()),
        arms,
        claims,
        pilots: Trials::default(),
        trials,
        made_by: MadeBy {
            normbook: "0.0.0".into(),
            command: "by hand".into(),
            date: "2026-01-01".into(),
            commit: None,
            device: "cpu".into(),
            dtype: "f32".into(),
            kernels: "composed".into(),
            cpu: "none".into(),
            instruction_set: "none".into(),
            operating_system: "none".into(),
            rustc: "none".into(),
            jobs: 1,
            seconds: 0.0,
            trial_seconds: 0.0,
            refreshed: None,
            digest: String::new(),
        },
    }
}

const WORDS: &str = r#"
[fast]
statement = "Fast is faster"
source = "nowhere"
measured = "steps"
covers = "nothing"

[kappa]
statement = "κ is 4"
source = "by hand"
measured = ""
"#;

const FIGURES: &str = r#"
[[figure]]
name = "curves"
title = "Two arms, five seeds each, on a title that is too long for one line"
alt = "Curves"
kind = "curves"
x = { label = "steps", log = true }
y = { label = "loss (nats)" }
lines = [
  { label = "slow", arm = "slow", series = "train_loss" },
  { label = "fast", arm = "fast", series = "train_loss" },
]

[[figure]]
name = "contour"
title = "A bowl & <its> path"
alt = "Contour"
kind = "contour"
x = { label = "w₁" }
y = { label = "w₂" }
arm = "bowl"
grid = "loss"
levels = [0.25, 1.0]
paths = [{ label = "path", arm = "bowl", series = "path" }]

[[figure]]
name = "bars"
title = "Final loss"
alt = "Bars"
kind = "bars"
x = { label = "loss (nats)", log = true }
bars = [
  { label = "slow", arm = "slow", value = "final_train_loss" },
  { label = "fast", arm = "fast", value = "final_train_loss" },
]

[[figure]]
name = "histograms"
title = "A distribution over time"
alt = "Histograms"
kind = "histograms"
x = { label = "steps" }
y = { label = "activation" }
arm = "bowl"
grid = "loss"
"#;

#[test]
fn a_record_looks_like_this_and_is_read_back_as_it_was() {
    let mut record = record();
    let text = record.to_text();
    insta::assert_snapshot!(text);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.json");
    record.write(&path).unwrap();
    assert_eq!(Record::read(&path).unwrap(), record);
}

#[test]
fn figures_look_like_this() {
    let drawn = plot::draw_all(FIGURES, &record(), None).unwrap();
    assert_eq!(drawn.len(), 4);
    for (name, svg) in drawn {
        insta::assert_snapshot!(name, svg);
    }
}

#[test]
fn the_committed_run_is_drawn_beside_a_readers() {
    let drawn = plot::draw_all(FIGURES, &record(), Some(&record())).unwrap();
    for name in ["curves.svg", "contour.svg", "bars.svg"] {
        assert!(drawn[name].contains("stroke-dasharray"), "{name}");
    }
}

#[test]
fn images_look_like_this() {
    let figures = r#"
[[figure]]
name = "images"
title = "Two images"
alt = "Images"
kind = "images"
rows = ["bright", "dark"]
arm = "bowl"
grid = "bytes"
"#;
    let mut record = record();
    let with_bytes = |record: &mut Record, width: usize| {
        let z = (0..width * 4).map(|pixel| if pixel < 8 { 255.0 } else { 40.0 * (pixel % 2) as f64 }).collect();
        let axis = |length: usize| (0..length).map(|pixel| pixel as f64).collect();
        let bowl = record.trials.trials.last_mut().unwrap();
        bowl.trace.grids.insert("bytes".into(), Grid { x: axis(width), y: axis(4), z });
    };
    with_bytes(&mut record, 4);
    insta::assert_snapshot!("images.svg", plot::draw_all(figures, &record, None).unwrap()["images.svg"]);
    with_bytes(&mut record, 5);
    let error = format!("{:#}", plot::draw_all(figures, &record, None).unwrap_err());
    assert!(error.contains("figure images: 5 × 4 pixels are no 2 rows of square images"), "{error}");
}

#[test]
fn what_a_figure_lacks_is_named() {
    for (old, new, complaint) in [
        ("arm = \"slow\", series", "arm = \"sluggish\", series", "figure curves: no trial of an arm named sluggish"),
        ("series = \"path\"", "series = \"way\"", "figure contour: arm bowl has no series named way"),
        ("grid = \"loss\"", "grid = \"gain\"", "figure contour: arm bowl has no grid named gain"),
        ("value = \"final_train_loss\"", "value = \"gain\"", "figure bars: arm slow has no value named gain"),
        ("kind = \"curves\"", "kind = \"pie\"", "the chapter's figures"),
    ] {
        let error = plot::draw_all(&FIGURES.replacen(old, new, 1), &record(), None).unwrap_err();
        assert!(format!("{error:#}").contains(complaint), "{error:#}");
    }
}

/// A diverged run is kept, counts its budget, and the record says where it diverged.
#[test]
fn divergence_is_in_the_record() {
    let record = record();
    assert_eq!(record.trials.steps("slow").unwrap()[4].step, None);
    assert!(record.clone().to_text().contains("\"diverged\""));
    let part = &record.claims[0].measurements[0];
    assert_eq!((part.samples.len(), part.lower_bounds, part.failed), (5, 5, 0));
}
