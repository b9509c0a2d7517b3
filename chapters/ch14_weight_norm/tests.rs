use super::{WeightNormalization, claims::claims};
use normbook::probe::train_eval::ACCURACY_EARLY;
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};

/// Test accuracies at each rate. Without normalization one rate is good. With it all rates are alike and halfway, so
/// that a rate of one network taken for one of another would show.
const OVER_RATES: [(&str, [f64; 3]); 7] = [
    // plain, weight, batch
    ("0.01", [0.700, 0.778, 0.779]),
    ("0.03", [0.701, 0.779, 0.780]),
    ("0.1", [0.820, 0.780, 0.781]),
    ("0.3", [0.703, 0.780, 0.781]),
    ("1", [0.702, 0.779, 0.780]),
    ("3", [0.701, 0.778, 0.780]),
    ("10", [0.700, 0.778, 0.779]),
];

/// Salimans & Kingma 2016, §2.1 and Table 2.
fn papers_world() -> World {
    let accuracies =
        [("cnn plain", 0.850), ("cnn weight", 0.852), ("cnn batch", 0.860), ("cnn weight and mean", 0.870)];
    let falls = [("SGD", 0.0), ("decay", 0.900), ("Adam", 0.200)];
    let identities = [
        ("scale_difference", 1e-16),
        ("direction_difference", 2e-16),
        ("projection_difference", 3e-16),
        ("largest_cosine", 4e-16),
        ("growth_difference", 5e-16),
        ("start_mean", 1e-7),
        ("start_deviation", 2e-7),
    ];
    let mut world = World::new(10)
        .steps("cnn plain", &[Some(200); 10])
        .steps("cnn weight", &[Some(100); 10])
        .value("cnn plain", ACCURACY_EARLY, 0.700)
        .value("cnn weight", ACCURACY_EARLY, 0.704);
    for (rate, accuracies) in OVER_RATES {
        for (norm, accuracy) in ["plain", "weight", "batch"].iter().zip(accuracies) {
            world = world.value(&format!("{norm} at {rate}"), TEST_ACCURACY, accuracy);
        }
    }
    world = accuracies.iter().fold(world, |world, (arm, accuracy)| world.value(arm, TEST_ACCURACY, *accuracy));
    world = falls.iter().fold(world, |world, (arm, share)| world.value(arm, "share_of_falls", *share));
    identities.iter().fold(world, |world, (name, value)| world.exact("identities", name, *value))
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), WeightNormalization::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<WeightNormalization>();
}
