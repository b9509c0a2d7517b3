use super::gamma_beta::{EARLY_ACCURACY, LINES_ACCURACY, NONLINEAR_SHARE};
use super::{GammaAndBeta, claims::claims, gaussian_line::GaussianLine};
use candle_core::Device;
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::record::Record;
use normbook_lab::seed::Seed;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use normbook_lab::trial::Trial;
use serde_json::Value;
use std::path::Path;

/// Builds the world of Ioffe & Szegedy 2015, §3: normalization holds sigmoids near their lines, γ and β set them free,
/// and yet cost or gain no accuracy.
fn papers_world() -> World {
    let exact = [
        ("recovery, sigmoid", "recovered", 1e-16),
        ("recovery, sigmoid", "bias_gradient", 2e-15),
        ("recovery, relu", "recovered", 3e-16),
        ("recovery, relu", "bias_gradient", 4e-15),
    ];
    let world = exact.iter().fold(World::new(10), |world, (arm, name, value)| world.exact(arm, name, *value));
    let shares = [
        ("sigmoid none ×1", 0.120),
        ("sigmoid both ×0.2", 0.020),
        ("sigmoid both ×1", 0.025),
        ("sigmoid both ×4", 0.050),
        ("sigmoid plain ×0.2", 0.010),
        ("sigmoid plain ×1", 0.012),
        ("sigmoid plain ×4", 0.014),
    ];
    let world = shares.iter().fold(world, |world, (arm, share)| world.value(arm, NONLINEAR_SHARE, *share));
    let layers = [("layer_1", 0.015), ("layer_2", 0.011), ("layer_3", 0.008)];
    let with_lines =
        [("sigmoid plain ×0.2", 0.84, 0.80), ("sigmoid plain ×1", 0.857, 0.82), ("sigmoid plain ×4", 0.85, 0.81)];
    let world = with_lines.iter().fold(world, |world, (arm, accuracy, lines)| {
        let world = world.value(arm, TEST_ACCURACY, *accuracy).value(arm, LINES_ACCURACY, *lines);
        layers.iter().fold(world, |world, (layer, share)| world.value(arm, &format!("nonlinear_share_{layer}"), *share))
    });
    let accuracies = [
        ("sigmoid both ×1", 0.701, 0.860),
        ("sigmoid gamma ×1", 0.702, 0.859),
        ("sigmoid beta ×1", 0.699, 0.858),
        ("sigmoid plain ×1", 0.698, 0.857),
        ("relu both", 0.601, 0.870),
        ("relu gamma", 0.602, 0.869),
        ("relu beta", 0.599, 0.868),
        ("relu plain", 0.598, 0.867),
    ];
    accuracies.iter().fold(world, |world, (arm, early, end)| {
        world.value(arm, EARLY_ACCURACY, *early).value(arm, TEST_ACCURACY, *end)
    })
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), GammaAndBeta::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<GammaAndBeta>();
}

/// Reads the values of `golden.py`: an implementation in PyTorch with random numbers of its own. Only what does not
/// depend on a seed can agree.
fn golden() -> Value {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

/// Two quadratures of the same integral; the record keeps six digits, the trial all.
#[test]
fn the_share_of_a_normal_input_is_pytorchs() {
    let trace = GaussianLine { largest_gamma: 1.0, beta: 0.0 }.run_alone(Seed(0), &Device::Cpu).unwrap();
    let expected = golden()["normal_share"].as_f64().unwrap();
    assert!((trace.values["linear_share"] - expected).abs() < 1e-12, "{}", trace.values["linear_share"]);
}

/// Means over the seeds: shares within 15 % of each other, accuracies within a point.
#[test]
fn the_trained_networks_agree_with_pytorchs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch03/record.json");
    let (record, golden) = (Record::read(&path).unwrap(), golden());
    for norm in ["both", "plain", "none"] {
        let found = |name: &str| {
            let samples = record.trials.samples(&format!("sigmoid {norm} ×1"), name).unwrap();
            samples.iter().sum::<f64>() / samples.len() as f64
        };
        let expected = |name: &str| golden[norm][name].as_f64().unwrap();
        let ratio = found("nonlinear_share") / expected("nonlinear_share");
        assert!((ratio - 1.0).abs() < 0.15, "{norm}: nonlinear share {ratio} of PyTorch's");
        for accuracy in ["test_accuracy", "test_accuracy_with_lines"] {
            let (found, expected) = (found(accuracy), expected(accuracy));
            assert!((found - expected).abs() < 0.01, "{norm}: {accuracy} {found}, PyTorch {expected}");
        }
    }
}
