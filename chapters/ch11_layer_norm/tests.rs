use super::{LayerNormalization, claims::claims};
use normbook::probe::train_eval::{ACCURACY_EARLY, ACCURACY_GAP};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};

/// "Invariant" in Table 1 of Ba, Kiros & Hinton 2016.
const INVARIANT: [&str; 10] = [
    "batch, weight matrix rescaled",
    "batch, one weight vector rescaled",
    "batch, data rescaled",
    "batch, data recentred",
    "weight, weight matrix rescaled",
    "weight, one weight vector rescaled",
    "layer, weight matrix rescaled",
    "layer, weight matrix recentred",
    "layer, data rescaled",
    "layer, one example rescaled",
];
/// "No" in Table 1.
const NOT_INVARIANT: [&str; 8] = [
    "batch, weight matrix recentred",
    "batch, one example rescaled",
    "weight, weight matrix recentred",
    "weight, data rescaled",
    "weight, data recentred",
    "weight, one example rescaled",
    "layer, one weight vector rescaled",
    "layer, data recentred",
];

/// Layer normalization keeps its accuracy on small batches, and a recurrent network learns with it in fewer steps.
/// BatchNorm leads on batches of 128 and falls behind on batches of 4, both by so little that any two arms confused
/// would show.
fn papers_world() -> World {
    let accuracies = [
        ("layer 128", 0.880),
        ("batch 128", 0.888),
        ("layer 4", 0.882),
        ("batch 4", 0.872),
        ("recurrent layer", 0.780),
        ("recurrent batch", 0.710),
    ];
    let world = accuracies
        .iter()
        .fold(World::new(10), |world, (arm, accuracy)| world.value(arm, TEST_ACCURACY, *accuracy))
        .value("layer 128", ACCURACY_EARLY, 0.801)
        .value("batch 128", ACCURACY_EARLY, 0.804)
        .value("recurrent batch", ACCURACY_GAP, 0.060)
        .steps("recurrent none", &[Some(240); 10])
        .steps("recurrent layer", &[Some(120); 10]);
    let world = INVARIANT.iter().fold(world, |world, cell| world.exact("table", cell, 1e-16));
    NOT_INVARIANT.iter().fold(world, |world, cell| world.exact("table", cell, 0.5))
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), LayerNormalization::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<LayerNormalization>();
}
