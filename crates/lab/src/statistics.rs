//! Intervals for paired samples.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// An estimate with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

/// The two-sided Student t interval at `level` for the mean of `samples`. None for fewer than two samples.
pub fn t_interval(samples: &[f64], level: f64) -> Option<Interval> {
    let count = samples.len() as f64;
    if samples.len() < 2 {
        return None;
    }
    let mean = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let quantile = StudentsT::new(0.0, 1.0, count - 1.0).ok()?.inverse_cdf(0.5 + level / 2.0);
    let half = quantile * (variance / count).sqrt();
    Some(Interval { estimate: mean, low: mean - half, high: mean + half })
}

/// The same for the geometric mean of positive `samples`: the t interval of their logarithms, taken back.
pub fn log_t_interval(samples: &[f64], level: f64) -> Option<Interval> {
    let logarithms: Vec<f64> = samples.iter().map(|sample| sample.ln()).collect();
    let interval = t_interval(&logarithms, level)?;
    Some(Interval { estimate: interval.estimate.exp(), low: interval.low.exp(), high: interval.high.exp() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden values of scipy.stats.t.interval(level, 4, mean, sem) for 1 … 5.
    #[test]
    fn the_t_interval_agrees_with_scipy() {
        let samples = [1.0, 2.0, 3.0, 4.0, 5.0];
        for (level, half) in [(0.95, 1.9632431614775572), (0.975, 2.471625237882064), (0.99, 3.2555867047577847)] {
            let interval = t_interval(&samples, level).unwrap();
            assert_eq!(interval.estimate, 3.0);
            assert!(
                (interval.high - 3.0 - half).abs() < 1e-6 && (3.0 - interval.low - half).abs() < 1e-6,
                "{interval:?}"
            );
        }
    }

    #[test]
    fn the_log_interval_is_multiplicative() {
        let interval = log_t_interval(&[10.0, 1000.0], 0.5).unwrap();
        assert!((interval.estimate - 100.0).abs() < 1e-9);
        assert!((interval.low * interval.high - 1e4).abs() < 1e-6);
    }

    #[test]
    fn one_sample_has_no_interval() {
        assert_eq!(t_interval(&[1.0], 0.95), None);
    }

    /// A 95 % interval holds the true mean in 95 % of the draws (four standard errors either way).
    #[test]
    fn the_interval_covers_as_often_as_it_says() {
        let mut stream = crate::seed::Seed(0).stream(crate::seed::Purpose::Probe, 0);
        let draws = 4000;
        let covered = (0..draws).filter(|_| {
            let samples: Vec<f64> = (0..5).map(|_| stream.normal()).collect();
            let interval = t_interval(&samples, 0.95).unwrap();
            interval.low <= 0.0 && 0.0 <= interval.high
        });
        let share = covered.count() as f64 / f64::from(draws);
        assert!((share - 0.95).abs() < 0.014, "{share}");
    }
}
