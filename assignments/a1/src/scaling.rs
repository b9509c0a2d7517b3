//! Standardization: every feature with mean 0 and deviation 1 over the training examples.
//!
//! Hung-yi Lee 2021, "Feature Normalization"; LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", §4.3.

use super::Matrix;

/// What has been learned from training data, one entry for each feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    /// m.
    pub mean: Vec<f64>,
    /// σ. Exactly 0 for a constant feature.
    pub deviation: Vec<f64>,
}

impl Scaler {
    /// Mean and standard deviation of each feature j over the N training examples, `[N, D]` -> `[D]` and `[D]`:
    ///
    /// ```text
    /// mⱼ = 1/N Σᵢ xᵢⱼ          σⱼ = √( 1/N Σᵢ (xᵢⱼ − mⱼ)² )
    /// ```
    ///
    /// A feature that is the same in every example is given the deviation 0. With rounding, that is one whose σ is at
    /// most 10⁻¹² |m|: the mean of seven numbers 0.1 is not exactly 0.1. The deviation has to be right, too, where the
    /// mean is a hundred million times larger.
    pub fn fit(train: &Matrix) -> Self {
        // SOLUTION the mean of each column, then the mean square around it
        let n = train.rows as f64;
        let mean_of = |column: usize| train.column(column).iter().sum::<f64>() / n;
        let mean: Vec<f64> = (0..train.columns).map(mean_of).collect();
        let deviation_of = |column: usize| {
            let squares = train.column(column).iter().map(|x| (x - mean[column]).powi(2)).sum::<f64>();
            let sigma = (squares / n).sqrt();
            if sigma <= 1e-12 * mean[column].abs() { 0.0 } else { sigma }
        };
        let deviation = (0..train.columns).map(deviation_of).collect();
        Self { mean, deviation }
        // END
    }

    /// The examples, standardized with the statistics of the training data, `[N, D] -> [N, D]`:
    ///
    /// ```text
    /// x̃ᵢⱼ = (xᵢⱼ − mⱼ) / σⱼ          and 0 in every example where σⱼ = 0
    /// ```
    ///
    /// `examples` may be others than the training examples, and a single one.
    pub fn apply(&self, examples: &Matrix) -> Matrix {
        // SOLUTION subtract the mean and divide by the deviation, except where it is 0
        Matrix::from_fn(examples.rows, examples.columns, |row, column| {
            let (mean, sigma) = (self.mean[column], self.deviation[column]);
            if sigma == 0.0 { 0.0 } else { (examples.at(row, column) - mean) / sigma }
        })
        // END
    }
}

/// Training data and test data, both standardized, as a model may see them: `[N, D]` and `[M, D]`.
pub fn prepare(train: &Matrix, test: &Matrix) -> (Matrix, Matrix) {
    // SOLUTION whose statistics?
    let scaler = Scaler::fit(train);
    (scaler.apply(train), scaler.apply(test))
    // END
}

/// The same model on features as they were measured. Of weights w and a bias b for standardized features this gives v
/// and c with
///
/// ```text
/// Σⱼ wⱼ x̃ⱼ + b = Σⱼ vⱼ xⱼ + c          for every x
/// ```
///
/// A constant feature gets the weight 0.
pub fn raw_weights(weights: &[f64], bias: f64, scaler: &Scaler) -> (Vec<f64>, f64) {
    // SOLUTION put the formula of x̃ into the left side and sort by xⱼ
    let scaled = weights.iter().zip(&scaler.deviation);
    let raw: Vec<f64> = scaled.map(|(w, sigma)| if *sigma == 0.0 { 0.0 } else { w / sigma }).collect();
    let moved: f64 = raw.iter().zip(&scaler.mean).map(|(v, mean)| v * mean).sum();
    (raw, bias - moved)
    // END
}
