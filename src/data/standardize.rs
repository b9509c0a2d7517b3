//! Feature preparation with statistics of the training set, which test data then share.
//!
//! x̃ = (x − m) / σ for each feature, with m its mean and σ its (biased) standard deviation over the training examples
//! (Hung-yi Lee 2021, "Feature Normalization"; LeCun et al. 1998, §4.3). A feature that never changes in training has
//! σ = 0; it is only centred, which makes it 0 and harmless.

use clap::ValueEnum;
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

/// What is done to the features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preparation {
    /// Nothing.
    Raw,
    /// x − m.
    Centred,
    /// x / σ.
    Scaled,
    /// (x − m) / σ.
    Standardised,
}

impl Preparation {
    pub const ALL: [Self; 4] = [Self::Raw, Self::Centred, Self::Scaled, Self::Standardised];

    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Centred => "centred",
            Self::Scaled => "scaled",
            Self::Standardised => "standardised",
        }
    }
}

/// The statistics of a training set and what to do with them.
#[derive(Clone, Debug)]
pub struct Preparer {
    shift: DVector<f64>,
    scale: DVector<f64>,
}

impl Preparer {
    /// Learns mean and standard deviation of each column of `train`, `[N, D]`.
    // ANCHOR: statistics
    pub fn fit(preparation: Preparation, train: &DMatrix<f64>) -> Self {
        let mean = train.row_mean().transpose();
        let deviation = train.row_variance().transpose().map(f64::sqrt);
        let untouched = deviation.map(|_| 1.0);
        let usable = deviation.zip_map(&mean, |sigma, mean| if sigma > 1e-12 * mean.abs() { sigma } else { 1.0 });
        let (shift, scale) = match preparation {
            Preparation::Raw => (mean * 0.0, untouched),
            Preparation::Centred => (mean, untouched),
            Preparation::Scaled => (mean * 0.0, usable),
            Preparation::Standardised => (mean, usable),
        };
        Self { shift, scale }
    }

    /// Applies the *training* statistics to any examples, `[N, D] -> [N, D]`.
    pub fn apply(&self, examples: &DMatrix<f64>) -> DMatrix<f64> {
        DMatrix::from_fn(examples.nrows(), examples.ncols(), |row, column| {
            (examples[(row, column)] - self.shift[column]) / self.scale[column]
        })
    }
    // ANCHOR_END: statistics
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> DMatrix<f64> {
        DMatrix::from_row_slice(4, 3, &[1.0, 100.0, 5.0, 2.0, 300.0, 5.0, 4.0, 200.0, 5.0, 5.0, 400.0, 5.0])
    }

    #[test]
    fn each_preparation_does_what_it_says() {
        let train = table();
        let prepared = |preparation| Preparer::fit(preparation, &train).apply(&train);
        assert_eq!(prepared(Preparation::Raw), train);
        let centred = prepared(Preparation::Centred);
        assert!(centred.row_mean().amax() < 1e-12);
        assert_eq!(centred.column(0).as_slice(), [-2.0, -1.0, 1.0, 2.0]);
        let scaled = prepared(Preparation::Scaled);
        assert!((scaled[(3, 0)] - 5.0 / 2.5f64.sqrt()).abs() < 1e-12);
        let standardised = prepared(Preparation::Standardised);
        assert!(standardised.row_mean().amax() < 1e-12);
        assert!((standardised.column(1).norm_squared() / 4.0 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_feature_becomes_zero_and_stays_finite() {
        let train = table();
        let standardised = Preparer::fit(Preparation::Standardised, &train);
        assert_eq!(standardised.apply(&train).column(2).amax(), 0.0);
        let tenth = DMatrix::from_element(7, 1, 0.1);
        assert!(Preparer::fit(Preparation::Standardised, &tenth).apply(&tenth).amax() < 1e-12);
    }

    #[test]
    fn test_data_get_the_statistics_of_the_training_data() {
        let preparer = Preparer::fit(Preparation::Standardised, &table());
        let test = DMatrix::from_row_slice(1, 3, &[3.0, 250.0, 7.0]);
        assert_eq!(preparer.apply(&test).as_slice(), [0.0, 0.0, 2.0]);
    }

    proptest! {
        /// Standardising is blind to the units of a feature: x and a·x + c give the same.
        #[test]
        fn units_do_not_matter(scale in 1e-3..1e3f64, offset in -1e3..1e3f64) {
            let train = table();
            let moved = train.map(|value| scale * value + offset);
            let standardise = |data: &DMatrix<f64>| Preparer::fit(Preparation::Standardised, data).apply(data);
            let difference = (standardise(&train) - standardise(&moved)).columns(0, 2).amax();
            prop_assert!(difference < 1e-6, "{difference}");
        }
    }
}
