mod against_numpy;
mod against_pytorch;

use super::slice::RISE;
use super::{Landscape, claims::claims};
use normbook_lab::Chapter;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use normbook_lab::trial::{Grid, Series};

/// Santurkar et al. 2018, Fig. 4 and 10: with BatchNorm loss and gradient vary a third as much along the gradient. Our
/// controls hold, too: along random directions, at the same loss, over one distance, and over separate runs.
fn papers_world() -> World {
    let world = CNN.into_iter().fold(World::new(8), |world, of| with_cnn(world, &of));
    let world = DEEP_LINEAR.into_iter().fold(world, |world, of| with_deep_linear(world, &of));
    world.value("plane plain", RISE, 3.0).value("plane batch", RISE, 1.5)
}

/// A CNN: its arm, β, range of the loss and change of the gradient along the gradient, β along a random direction, β at
/// a loss of 1.5 and of 1, and its training loss.
type Cnn = (&'static str, f64, f64, f64, f64, [f64; 2], f64);

const CNN: [Cnn; 6] = [
    ("plain 1e-2", 90.0, 6.0, 12.0, 8.0, [60.0, 50.0], 4.0),
    ("plain 3e-2", 80.0, 5.4, 11.0, 7.0, [58.0, 48.0], 2.5),
    ("plain 1e-1", 70.0, 4.8, 10.0, 6.0, [56.0, 46.0], 1.0),
    ("batch 1e-2", 30.0, 2.0, 4.0, 2.5, [20.0, 16.0], 2.0),
    ("batch 3e-2", 28.0, 1.8, 3.5, 2.2, [19.0, 15.0], 1.4),
    ("batch 1e-1", 26.0, 1.6, 3.0, 2.0, [18.0, 14.0], 1.1),
];

fn with_cnn(world: World, &(arm, beta, range, change, random, at_levels, loss): &Cnn) -> World {
    let arm = &format!("cnn {arm}");
    world
        .value(arm, "gradient_beta", beta)
        .value(arm, "gradient_loss_range", range)
        .value(arm, "gradient_change_high", change)
        .value(arm, "random_beta", random)
        .change(arm, |trace| {
            let levels = Series { x: vec![1.5, 1.0], y: at_levels.into() };
            trace.series.insert("gradient_level_beta".into(), levels);
            trace.series.insert("train_loss".into(), Series { x: vec![0.0, 1.0], y: vec![loss, loss + 0.1] });
        })
}

/// A deep linear network: its arm, β, range of the loss and change of the gradient along the gradient, and η′ = 10⁻⁷ in
/// learning rates. Effective β is near 2 over the learning rate.
type DeepLinear = (&'static str, f64, f64, f64, f64);

const DEEP_LINEAR: [DeepLinear; 6] = [
    ("plain 1e-8", 2.8e8, 90.0, 9.0, 10.0),
    ("plain 1e-7", 2.7e7, 80.0, 8.0, 1.0),
    ("plain 1e-6", 2.6e6, 70.0, 7.0, 0.1),
    ("batch 1e-8", 1.3e8, 30.0, 3.0, 10.0),
    ("batch 1e-7", 1.2e7, 25.0, 2.5, 1.0),
    ("batch 1e-6", 1.1e6, 20.0, 2.0, 0.1),
];

fn with_deep_linear(world: World, &(arm, beta, range, change, distance): &DeepLinear) -> World {
    // At other levels and other distances the plain network is the smoother one.
    let [here, elsewhere] = if arm.starts_with("plain") { [6.0, 1.0] } else { [2.0, 5.0] };
    let arm = &format!("linear {arm}");
    let distances = vec![0.1, 1.0, 10.0];
    let betas = distances.iter().flat_map(|at| [if *at == distance { here } else { elsewhere }; 2]).collect();
    let by_distance = Grid { x: vec![0.0, 1.0], y: distances, z: betas };
    world
        .value(arm, "gradient_beta", beta)
        .value(arm, "gradient_loss_range", range)
        .value(arm, "gradient_change_high", change)
        .change(arm, |trace| {
            let levels = Series { x: vec![3e4, 2e4, 1e4], y: vec![here, here + 0.5, elsewhere] };
            trace.series.insert("gradient_level_beta".into(), levels);
            trace.grids.insert("gradient_beta_by_distance".into(), by_distance.clone());
        })
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), Landscape::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<Landscape>();
}
