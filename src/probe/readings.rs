//! What chapters read off the trace of a [`super::study::Study`].

use super::looks::TRAIN_ACCURACY;
use super::moments::BIN;
use crate::data::labelled::CLASSES;
use crate::trial::{Grid, TARGET, Trace};

/// The training accuracy at the first look from a part of the steps on; of a run that diverged before, that of guessing.
/// None if it was not measured.
pub fn accuracy_at(trace: &Trace, part: f64) -> Option<f64> {
    let (curve, reach) = (trace.series.get(TRAIN_ACCURACY)?, trace.reached.get(TARGET)?);
    let look = curve.x.iter().position(|step| *step >= part * reach.budget as f64);
    Some(look.map_or(1.0 / CLASSES as f64, |look| curve.y[look]))
}

// ANCHOR: moved
/// Half the area between the first and the last histogram of a grid: 0 where they are the same, 1 where they have no bin in
/// common. Two samples of one distribution differ a little, too.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::moments::bins;
    use crate::trial::{Reach, Series};

    fn trace(name: &str, x: &[f64], y: &[f64]) -> Trace {
        let mut trace = Trace::default();
        trace.series.insert(name.into(), Series { x: x.into(), y: y.into() });
        trace.reached.insert(TARGET.into(), Reach { step: None, budget: 100 });
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
}
