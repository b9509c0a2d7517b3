use super::spectrum::{FROM_ONE, GAIN, GAP, LARGEST, STEEPNESS};
use super::{SpectralNorm, claims::claims};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::record::Record;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use std::collections::BTreeMap;
use std::path::Path;

/// Yoshida & Miyato 2017, Tables 1 and 2 and Fig. 4: the penalty lowers σ₁, flattens the spectrum, narrows the gap and
/// helps on test images, more than weight decay. Miyato et al. 2018: a normalized weight has σ₁ = 1.
fn papers_world() -> World {
    let measured = [
        (GAP, "plain, small", 0.080),
        (GAP, "penalty 0.01, small", 0.050),
        (GAP, "plain, large", 0.120),
        (GAP, "penalty 0.01, large", 0.060),
        (LARGEST, "plain, small", 4.0),
        (LARGEST, "penalty 0.01, small", 2.0),
        (LARGEST, "plain, large", 6.0),
        (LARGEST, "penalty 0.01, large", 2.5),
        (STEEPNESS, "plain, small", 9.0),
        (STEEPNESS, "penalty 0.01, small", 3.0),
        (STEEPNESS, "plain, large", 12.0),
        (STEEPNESS, "penalty 0.01, large", 5.0),
        (TEST_ACCURACY, "plain, small", 0.840),
        (TEST_ACCURACY, "decay 0.01, small", 0.850),
        (TEST_ACCURACY, "penalty 0.01, small", 0.860),
        (TEST_ACCURACY, "plain, large", 0.800),
        (TEST_ACCURACY, "decay 0.01, large", 0.810),
        (TEST_ACCURACY, "penalty 0.01, large", 0.830),
        (FROM_ONE, "normalized, small", 0.010),
        (FROM_ONE, "normalized, large", 0.020),
        (GAIN, "normalized, small", 0.300),
        (GAIN, "normalized, large", 0.400),
    ];
    measured
        .iter()
        .fold(World::new(10), |world, (name, arm, value)| world.value(arm, name, *value))
        .exact("power iteration", "error", 1e-15)
        .exact("power iteration", "printed_error", 2e-15)
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), SpectralNorm::WORDS, &papers_world());
}

/// A network whose weights are no longer finite has no spectrum; the claims on spectra take the other seeds.
#[test]
fn a_diverged_seed_is_left_out_of_the_spectra() {
    let claims = claims();
    let mut is_first = true;
    let world = papers_world().change("plain, large", |trace| {
        if std::mem::take(&mut is_first) {
            trace.values.remove(LARGEST);
        }
    });
    let sigma = claims.iter().find(|claim| claim.id == "sigma").unwrap();
    let seeds = sigma.measurements.iter().map(|(_, ratio)| ratio.samples(&world.trials()).unwrap().len());
    assert_eq!(seeds.collect::<Vec<_>>(), [10, 9]);
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<SpectralNorm>();
}

/// In PyTorch, too, one step of power iteration lags the weights: σ₁ ends near 1, by about the same distance.
#[test]
fn pytorch_finds_the_same() {
    let golden: BTreeMap<String, Vec<f64>> = serde_json::from_str(include_str!("golden.json")).unwrap();
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch15/record.json");
    let trials = Record::read(&record).unwrap().trials;
    for batch in ["small", "large"] {
        let ours = mean(&trials.samples(&format!("normalized, {batch}"), FROM_ONE).unwrap());
        let theirs = mean(&golden[batch]);
        assert!((0.5..2.0).contains(&(ours / theirs)), "{batch}: {ours}, PyTorch {theirs}");
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
