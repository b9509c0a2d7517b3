//! What an interval says about a rule.

use super::statistics::Interval;
use serde::{Deserialize, Serialize};

/// The outcome of a claim, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval lies beyond the stated floor, or inside the margin.
    Reproduced,
    /// It excludes no effect but reaches below the floor.
    Weaker,
    /// Anything else.
    Inconclusive,
    /// It excludes no effect the other way; an equivalence lies wholly outside its margin.
    Contradicted,
    /// Too few seeds, or the smoke scale.
    NotJudged,
}

impl Verdict {
    /// As readers see it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Weaker => "weaker than claimed",
            Self::Inconclusive => "inconclusive",
            Self::Contradicted => "contradicted",
            Self::NotJudged => "not judged",
        }
    }
}

/// When a claim holds. Written before the first run and never moved after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// At least `floor`; `no_effect` is where nothing would have happened.
    AtLeast { floor: f64, no_effect: f64 },
    /// No further than `margin` from `center`.
    Within { center: f64, margin: f64 },
}

/// At least `floor`, where `no_effect` is what nothing would give (1 for a ratio, 0 for a difference).
pub fn at_least(floor: f64, no_effect: f64) -> Rule {
    Rule::AtLeast { floor, no_effect }
}

/// No further than `margin` from `center`.
pub fn within(center: f64, margin: f64) -> Rule {
    Rule::Within { center, margin }
}

impl Rule {
    /// What `interval` says. An exact value is an interval of no width.
    pub fn judge(self, interval: Interval) -> Verdict {
        let Interval { low, high, .. } = interval;
        match self {
            Self::AtLeast { floor, .. } if low >= floor => Verdict::Reproduced,
            Self::AtLeast { no_effect, .. } if low > no_effect => Verdict::Weaker,
            Self::AtLeast { no_effect, .. } if high < no_effect => Verdict::Contradicted,
            Self::AtLeast { .. } => Verdict::Inconclusive,
            Self::Within { center, margin } if low >= center - margin && high <= center + margin => Verdict::Reproduced,
            Self::Within { center, margin } if high < center - margin || low > center + margin => Verdict::Contradicted,
            Self::Within { .. } => Verdict::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(rule: Rule, low: f64, high: f64) -> Verdict {
        rule.judge(Interval { estimate: (low + high) / 2.0, low, high })
    }

    #[test]
    fn the_floor_decides() {
        let rule = at_least(2.0, 1.0);
        assert_eq!(judge(rule, 2.0, 3.0), Verdict::Reproduced);
        assert_eq!(judge(rule, 1.1, 3.0), Verdict::Weaker);
        assert_eq!(judge(rule, 0.9, 3.0), Verdict::Inconclusive);
        assert_eq!(judge(rule, 0.5, 0.9), Verdict::Contradicted);
    }

    #[test]
    fn the_margin_decides() {
        let rule = within(0.0, 2.0);
        assert_eq!(judge(rule, -2.0, 2.0), Verdict::Reproduced);
        assert_eq!(judge(rule, 1.0, 2.1), Verdict::Inconclusive);
        assert_eq!(judge(rule, 2.1, 3.0), Verdict::Contradicted);
        assert_eq!(judge(rule, -3.0, -2.1), Verdict::Contradicted);
        assert_eq!(judge(rule, -3.0, 3.0), Verdict::Inconclusive);
    }
}
