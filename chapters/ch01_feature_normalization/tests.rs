use super::{FeatureNormalization, claims::claims};
use normbook_lab::Chapter;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};

/// Builds the world of the lecture and of LeCun et al. 1998, §4.3: centering or scaling helps, both together help most,
/// and Adam gains less from them. Gradient descent as stepped follows the textbook.
fn lectures_world() -> World {
    let prepared = [("raw", 1e7, 1e6), ("centred", 1e4, 1e5), ("scaled", 1e3, 1e4), ("standardised", 10.0, 20.0)];
    let world = prepared.iter().fold(World::new(10), |world, (arm, condition, steps)| {
        world.exact(arm, "condition_number", *condition).exact(arm, "steps_to_1_percent", *steps)
    });
    let world = world.exact("breast cancer standardised", "condition_number", 1e5);
    let stepped = ["stepping, toy raw", "stepping, toy scaled", "stepping, table standardised"];
    let world = stepped
        .iter()
        .fold(world, |world, arm| world.exact(arm, "log_rate_ratio", 1.001).exact(arm, "largest_difference", 1e-14));
    [("sgd raw", 3_000), ("sgd standardised", 20), ("adam raw", 300), ("adam standardised", 150)]
        .iter()
        .fold(world, |world, (arm, steps)| world.steps(arm, &[Some(*steps); 10]))
}

#[test]
fn the_claims_hold_in_the_lectures_world_and_in_no_other() {
    assert_claims_follow(&claims(), FeatureNormalization::WORDS, &lectures_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<FeatureNormalization>();
}
