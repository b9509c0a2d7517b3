use super::{InstanceNormalization, claims::claims};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};

/// Ulyanov, Vedaldi & Lempitsky 2016: instance normalization removes the contrast, which BatchNorm leaves; a classifier
/// then lacks what the contrast says.
fn papers_world() -> World {
    let lost = [
        ("instance", "lost_at_contrast_0.25", 0.002),
        ("instance", "lost_at_contrast_0.5", 0.001),
        ("instance", "lost_at_contrast_2", -0.001),
        ("instance", "lost_at_contrast_4", 0.003),
        ("batch", "lost_at_contrast_0.25", 0.400),
        ("batch", "lost_at_contrast_4", 0.200),
    ];
    let identity = [("change", 1e-16), ("scaled", 2e-16), ("faint", 0.7), ("shifted", 0.8), ("one_pixel", 0.0)];
    let world = lost.iter().fold(World::new(10), |world, (arm, name, lost)| world.value(arm, name, *lost));
    identity
        .iter()
        .fold(world, |world, (name, value)| world.exact("identity", name, *value))
        .value("batch", TEST_ACCURACY, 0.880)
        .value("instance", TEST_ACCURACY, 0.850)
        .value("batch, contrast is the class", TEST_ACCURACY, 0.700)
        .value("instance, contrast is the class", TEST_ACCURACY, 0.101)
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), InstanceNormalization::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<InstanceNormalization>();
}
