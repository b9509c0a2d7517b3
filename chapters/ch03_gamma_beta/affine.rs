//! Where γ and β go: their spread over the units of each layer, at a snapshot of the training.

use candle_core::Result;
use normbook::norm::batch::Affine;
use normbook::train::training::Snapshot;
use normbook_lab::trial::Trace;

/// The percentiles that are kept.
pub const PERCENTILES: [u32; 3] = [10, 50, 90];

/// Adds a point to the series `gamma_10_layer_1`, … for the percentiles of each of γ and β that is learned.
pub fn note(affine: Affine, snapshot: &Snapshot, trace: &mut Trace) -> Result<()> {
    let learned: &[&str] = match affine {
        Affine::Both => &["gamma", "beta"],
        Affine::Weight => &["gamma"],
        Affine::Bias => &["beta"],
        Affine::Neither => &[],
    };
    for (index, norm) in snapshot.net.norms().into_iter().enumerate() {
        for (name, parameter) in learned.iter().zip(norm.parameters()) {
            let mut values = parameter.to_vec1::<f32>()?;
            values.sort_by(f32::total_cmp);
            for percent in PERCENTILES {
                let series = trace.series.entry(format!("{name}_{percent}_layer_{}", index + 1)).or_default();
                series.x.push(snapshot.step as f64);
                series.y.push(percentile(&values, percent));
            }
        }
    }
    Ok(())
}

/// Linear between the sorted values, the first of which is percentile 0 and the last 100.
fn percentile(sorted: &[f32], percent: u32) -> f64 {
    let place = f64::from(percent) / 100.0 * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    f64::from(below) + (f64::from(above) - f64::from(below)) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_the_values() {
        let values = [0.0, 1.0, 2.0, 10.0];
        assert_eq!([0, 50, 100].map(|percent| percentile(&values, percent)), [0.0, 1.5, 10.0]);
        assert!((percentile(&values, 90) - 7.6).abs() < 1e-12);
        assert_eq!(percentile(&[4.0], 10), 4.0);
    }
}
