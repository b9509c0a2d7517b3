mod against_numpy;

use super::{LpNorms, claims::claims, of};
use normbook::probe::probe_schedule::TRAIN_ACCURACY;
use normbook::train::classifier::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use normbook_lab::trial::{FINAL_LOSS, Grid, Series};

/// Santurkar et al. 2018, Fig. 5, 6, 12 and 13: every ℓp norm trains as well as BatchNorm, ℓ1 faster in the deep linear
/// network; distributions shift more than without normalization, and yet the landscape is as smooth as with BatchNorm.
fn papers_world() -> World {
    // Change of the units' means and variances and way of the histogram; β and range of the loss along the gradient,
    // and β at two losses.
    let probed = [
        ("plain", [2.0, 3.0, 0.2], [90.0, 80.0], [60.0, 50.0]),
        ("batch", [1.0, 1.1, 0.1], [30.0, 20.0], [19.0, 18.0]),
        ("l1", [4.0, 6.0, 0.4], [31.0, 21.0], [20.0, 14.0]),
        ("l2", [5.0, 7.0, 0.5], [32.0, 22.0], [21.0, 15.0]),
        ("linf", [6.0, 8.0, 0.6], [33.0, 23.0], [22.0, 16.0]),
    ];
    let losses = [("plain", 1e5), ("batch", 5e3), ("l1", 3.5e3), ("l2", 4.5e3), ("linf", 6e3)];
    let steps =
        [("batch", 1000), ("l1", 700), ("batch as large as l1", 720), ("linf", 3000), ("batch as large as linf", 1500)];
    // On training images after a fifth of the steps and at the end, and on test images.
    let accuracies = [
        ("plain", 0.50, 0.800, 0.780),
        ("batch", 0.70, 0.850, 0.830),
        ("l1", 0.69, 0.845, 0.826),
        ("l2", 0.71, 0.855, 0.834),
        ("linf", 0.705, 0.852, 0.828),
    ];
    let mut world = World::new(10);
    for (network, histograms, levels) in
        [("linear", "histogram_layer_11", [3e4, 2e4]), ("cnn", "histogram_layer_4", [1.5, 1.0])]
    {
        for (norm, [mean, variance, way], [beta, range], at_levels) in probed {
            let arm = &of(network, norm);
            world = world
                .value(arm, "input_mean_change", mean)
                .value(arm, "input_variance_change", variance)
                .value(arm, "gradient_beta", beta)
                .value(arm, "gradient_loss_range", range)
                .change(arm, |trace| {
                    let grid = Grid { x: vec![0.0, 1.0], y: vec![0.0], z: vec![0.0, way] };
                    trace.grids.insert(histograms.into(), grid);
                    let series = Series { x: levels.into(), y: at_levels.into() };
                    trace.series.insert("gradient_level_beta".into(), series);
                });
        }
    }
    for (norm, loss) in losses {
        world = world.value(&of("linear", norm), FINAL_LOSS, loss);
    }
    for (norm, steps) in steps {
        world = world.steps(&of("linear", norm), &[Some(steps); 10]);
    }
    for (norm, early, end, test) in accuracies {
        let arm = &of("cnn", norm);
        let x = [0.0, 0.2, 1.0].map(|part| part * World::BUDGET as f64).into();
        let curve = Series { x, y: vec![0.1, early, end] };
        world = world
            .steps(arm, &[None; 10])
            .change(arm, |trace| drop(trace.series.insert(TRAIN_ACCURACY.into(), curve.clone())))
            .value(arm, TRAIN_ACCURACY, end)
            .value(arm, TEST_ACCURACY, test);
    }
    world
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), LpNorms::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<LpNorms>();
}
