//! What chapters read off the trace of a [`super::probed_training::ProbedTraining`].

use super::moments::BIN;
use super::probe_schedule::TRAIN_ACCURACY;
use crate::data::dataset::CLASSES;
use normbook_lab::trial::{Grid, Series, TARGET, Trace};

/// The training accuracy at the first look from a part of the steps on; of a run that diverged before, that of
/// guessing. None if it was not measured.
pub fn accuracy_at(trace: &Trace, part: f64) -> Option<f64> {
    let (curve, reach) = (trace.series.get(TRAIN_ACCURACY)?, trace.reached.get(TARGET)?);
    let look = curve.x.iter().position(|step| *step >= part * reach.budget as f64);
    Some(look.map_or(1.0 / CLASSES as f64, |look| curve.y[look]))
}

// ANCHOR: moved
/// Half the area between the first and the last histogram of a grid: 0 where they are the same, 1 where they have no
/// bin in common. Two samples of one distribution differ a little, too.
pub fn moved(histograms: &Grid) -> f64 {
    let columns = histograms.x.len();
    let rows = histograms.z.chunks(columns);
    rows.map(|row| (row[columns - 1] - row[0]).abs()).sum::<f64>() * BIN / 2.0
}
// ANCHOR_END: moved

/// The value of a series over levels where the loss first came down to one of them, if it did.
pub fn at_level(trace: &Trace, series: &str, level: f64) -> Option<f64> {
    let series = trace.series.get(series)?;
    series.x.iter().position(|x| *x == level).map(|index| series.y[index])
}

/// Of a grid of looks over distances the values at one distance, look by look, if it has that distance.
pub fn at_distance(grid: &Grid, distance: f64) -> Option<&[f64]> {
    let row = grid.y.iter().position(|y| (y / distance - 1.0).abs() < 1e-6)?;
    grid.z.get(row * grid.x.len()..)?.get(..grid.x.len())
}

/// The difference between the largest and the smallest value of several runs' curves, at each step that all have.
pub fn ranges_over_runs(curves: &[&Series]) -> Vec<f64> {
    let at = |curve: &Series, step: f64| curve.x.iter().position(|x| *x == step).map(|index| curve.y[index]);
    let of_step = |step: &f64| -> Option<f64> {
        let values: Vec<f64> = curves.iter().map(|curve| at(curve, *step)).collect::<Option<_>>()?;
        let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        Some(high - low)
    };
    curves.first().map_or_else(Vec::new, |first| first.x.iter().filter_map(of_step).collect())
}

/// What `by` reads off two arms' traces, seed by seed; seeds off which it reads nothing are left out.
pub fn seed_by_seed(one: &[&Trace], other: &[&Trace], by: impl Fn(&Trace, &Trace) -> Option<f64>) -> Vec<f64> {
    one.iter().zip(other).filter_map(|(one, other)| by(one, other)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::moments::bins;
    use normbook_lab::trial::StepsToTarget;

    fn trace(name: &str, x: &[f64], y: &[f64]) -> Trace {
        let mut trace = Trace::default();
        trace.series.insert(name.into(), Series { x: x.into(), y: y.into() });
        trace.reached.insert(TARGET.into(), StepsToTarget { step: None, budget: 100 });
        trace
    }

    #[test]
    fn accuracy_is_read_at_the_next_look() {
        let trace = trace(TRAIN_ACCURACY, &[0.0, 15.0, 30.0], &[0.1, 0.5, 0.75]);
        assert_eq!(
            [0.0, 0.1, 0.15, 0.2, 0.5].map(|part| accuracy_at(&trace, part)),
            [Some(0.1), Some(0.5), Some(0.5), Some(0.75), Some(0.1)]
        );
        assert_eq!(accuracy_at(&Trace::default(), 0.5), None);
    }

    /// All in one bin at first; at last a quarter of it in another.
    #[test]
    fn what_has_moved_is_the_part_in_other_bins() {
        let (rows, all) = (bins().len(), 1.0 / BIN);
        let mut z = vec![0.0; 3 * rows];
        (z[3 * 5], z[3 * 5 + 1], z[3 * 5 + 2], z[3 * 9 + 2]) = (all, 0.2 * all, 0.75 * all, 0.25 * all);
        assert!((moved(&Grid { x: vec![0.0, 1.0, 2.0], y: bins(), z }) - 0.25).abs() < 1e-12);
        assert_eq!(moved(&Grid { x: vec![0.0], y: bins(), z: vec![1.0; rows] }), 0.0);
    }

    #[test]
    fn a_level_that_was_not_reached_has_no_value() {
        let trace = trace("beta", &[3e4, 2e4], &[5.0, 7.0]);
        assert_eq!([3e4, 2e4, 1e4].map(|level| at_level(&trace, "beta", level)), [Some(5.0), Some(7.0), None]);
    }

    #[test]
    fn a_distance_is_a_row() {
        let grid = Grid { x: vec![0.0, 1.0, 2.0], y: vec![0.1, 10.0], z: vec![1.0, 2.0, 9.0, 4.0, 8.0, 6.0] };
        assert_eq!(at_distance(&grid, 1e-7 / 1e-8), Some(&[4.0, 8.0, 6.0][..]));
        assert_eq!((at_distance(&grid, 0.1), at_distance(&grid, 1.0)), (Some(&[1.0, 2.0, 9.0][..]), None));
    }

    #[test]
    fn runs_are_compared_at_the_steps_they_share() {
        let curve = |x: &[f64], y: &[f64]| Series { x: x.into(), y: y.into() };
        let (one, other) = (curve(&[0.0, 1.0, 2.0], &[3.0, 1.0, 5.0]), curve(&[0.0, 2.0], &[2.0, 0.0]));
        assert_eq!(ranges_over_runs(&[&one, &other]), [1.0, 5.0]);
        assert_eq!(ranges_over_runs(&[&one, &curve(&[7.0], &[1.0])]), [0.0; 0]);
    }

    #[test]
    fn a_seed_that_gives_nothing_is_left_out() {
        let (with, without) = (trace("beta", &[1.0], &[6.0]), Trace::default());
        let ratio = |one: &Trace, other: &Trace| Some(at_level(one, "beta", 1.0)? / at_level(other, "beta", 1.0)?);
        assert_eq!(seed_by_seed(&[&with, &with], &[&with, &without], ratio), [1.0]);
    }
}
