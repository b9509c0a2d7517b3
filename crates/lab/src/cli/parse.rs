//! Values of flags, each with its allowed range in the message.

use crate::runner::Shard;

/// A number above 0 and up to `MOST`.
pub fn up_to<const MOST: u32>(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number <= f64::from(MOST) => Ok(number),
        _ => Err(format!("expected a number above 0 and up to {MOST}, such as 0.1 or 1e-4")),
    }
}

/// A number above 0 that no sensible run has larger, such as a learning rate.
pub fn positive(text: &str) -> Result<f64, String> {
    up_to::<1_000_000>(text)
}

/// A number to add to values of a deviation around 1.
pub fn shift(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (-100.0..=100.0).contains(&number) => Ok(number),
        _ => Err("expected a number from -100 to 100".into()),
    }
}

/// A number from `LEAST` up.
pub fn at_least<const LEAST: u32>(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number >= f64::from(LEAST) && number.is_finite() => Ok(number),
        _ => Err(format!("expected a number from {LEAST} up")),
    }
}

/// A number other than 0.
pub fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (1e-9..=1e9).contains(&number.abs()) => Ok(number),
        _ => Err("expected a number other than 0, such as 1000 or -1, of a size from 1e-9 to 1e9".into()),
    }
}

/// A whole number from `LEAST` to `MOST`.
pub fn whole<const LEAST: u64, const MOST: u64>(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if (LEAST..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("expected a whole number from {LEAST} to {MOST}")),
    }
}

/// A whole number from 1 up.
pub fn count(text: &str) -> Result<u64, String> {
    whole::<1, 1_000_000_000>(text)
}

/// Examples of a batch: BatchNorm needs two.
pub fn batch_size(text: &str) -> Result<u64, String> {
    whole::<2, 4096>(text)
}

/// The scale of the toy's second input: beyond, stepping would take hours.
pub fn toy_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.01..=1000.0).contains(&number) => Ok(number),
        _ => Err("expected a number from 0.01 to 1000".into()),
    }
}

/// Units of a layer.
pub fn units(text: &str) -> Result<u64, String> {
    whole::<1, 4096>(text)
}

/// `5` for seeds 0 to 4, or `10..15` for seeds 10 to 14.
pub fn seeds(text: &str) -> Result<SeedRange, String> {
    let range = match text.split_once("..") {
        Some((first, end)) => first.parse().ok().zip(end.parse().ok()),
        None => text.parse().ok().map(|count| (0, count)),
    };
    match range {
        Some((first, end)) if first < end && end - first <= 1000 => Ok(SeedRange { first, end }),
        _ => Err("expected a number of seeds from 1 to 1000, or a range such as 10..15".into()),
    }
}

/// Seeds from `first` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedRange {
    pub first: u64,
    pub end: u64,
}

/// `i/n`: part i of n, from 1.
pub fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    match parts {
        Some((index, count)) if (1..=count).contains(&index) => Ok(Shard { index: index - 1, count }),
        _ => Err("expected i/n with i from 1 to n, such as 1/4".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused() {
        assert_eq!(positive("1e-4"), Ok(1e-4));
        assert!(["0", "-1", "nan", "inf", "1e300", "x"].iter().all(|text| positive(text).is_err()));
        assert_eq!(count("7"), Ok(7));
        assert!(["0", "-1", "1.5", "10000000000"].iter().all(|text| count(text).is_err()));
        assert_eq!((batch_size("2"), units("4096")), (Ok(2), Ok(4096)));
        assert!(["1", "4097"].iter().all(|text| batch_size(text).is_err()));
        assert_eq!((factor("-1"), shift("-0.5")), (Ok(-1.0), Ok(-0.5)));
        assert!(["0", "1e300", "nan"].iter().all(|text| factor(text).is_err()));
        assert!(["101", "nan", "inf"].iter().all(|text| shift(text).is_err()));
        assert_eq!(seeds("5"), Ok(SeedRange { first: 0, end: 5 }));
        assert_eq!(seeds("1000..1003"), Ok(SeedRange { first: 1000, end: 1003 }));
        assert!(["0", "3..3", "5..2", "a..b", "0..2000"].iter().all(|text| seeds(text).is_err()));
        assert_eq!(shard("1/4"), Ok(Shard { index: 0, count: 4 }));
        assert!(["0/4", "5/4", "1", "a/b"].iter().all(|text| shard(text).is_err()));
    }
}
