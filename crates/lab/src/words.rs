//! What is said of a chapter's claims: the file `claims.toml`. Words are no part of a fingerprint: saying a thing
//! better makes no evidence stale.

use crate::claim::{Claim, Measure};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is said of one claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimWords {
    pub statement: String,
    /// Where the statement comes from.
    pub source: String,
    /// What is measured, with its unit.
    pub measured: String,
    /// What differs between seeds; taken from the chapter if it is empty.
    #[serde(default)]
    pub covers: String,
    /// Why a contradiction, should it be one, would be ours alone.
    pub unconfirmed: Option<String>,
}

/// What is said of a chapter's claims, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Words {
    /// What differs between seeds in every statistical claim that does not say otherwise.
    #[serde(default)]
    covers: String,
    #[serde(flatten)]
    claims: BTreeMap<String, ClaimWords>,
}

impl Words {
    /// Reads the text of a `claims.toml`.
    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).context("claims.toml cannot be read")
    }

    /// The words of a claim. Errors if there are none.
    pub fn of(&self, claim: &Claim) -> Result<ClaimWords> {
        self.find(&claim.id, claim.measure)
    }

    /// Errors where claims and words do not go together: a claim without words, or words without a claim.
    pub fn check(&self, claims: &[Claim]) -> Result<()> {
        for claim in claims {
            self.of(claim)?;
        }
        for id in self.claims.keys() {
            ensure!(claims.iter().any(|claim| claim.id == *id), "claims.toml has words for {id}, which is no claim");
        }
        Ok(())
    }

    /// The words of the claim with this id. Errors if there are none.
    pub fn find(&self, id: &str, measure: Measure) -> Result<ClaimWords> {
        let mut said = self.claims.get(id).with_context(|| format!("claims.toml has no words for claim {id}"))?.clone();
        if said.covers.is_empty() && measure != Measure::Exact {
            said.covers = self.covers.clone();
        }
        Ok(said)
    }

    /// Empty words for claims with these ids.
    #[cfg(test)]
    pub fn of_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Self {
        let claims = ids.map(|id| (id.to_owned(), ClaimWords::default())).collect();
        Self { covers: String::new(), claims }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_least;

    const TEXT: &str = r#"
covers = "initial weights"

[better]
statement = "It is better"
source = "a paper, §1"
measured = "accuracy"

[exact]
statement = "It is equal"
source = "a paper, §2"
measured = "difference"
"#;

    #[test]
    fn what_seeds_cover_is_said_once() {
        let words = Words::parse(TEXT).unwrap();
        let rule = at_least(1.0, 0.0);
        let claims = [Claim::ratio("better", rule), Claim::exact("exact", rule)];
        words.check(&claims).unwrap();
        assert_eq!(words.of(&claims[0]).unwrap().covers, "initial weights");
        assert_eq!(words.of(&claims[1]).unwrap().covers, "");
    }

    #[test]
    fn claims_and_words_go_together() {
        let words = Words::parse(TEXT).unwrap();
        let rule = at_least(1.0, 0.0);
        let error = words.check(&[Claim::ratio("bettr", rule)]).unwrap_err();
        assert_eq!(error.to_string(), "claims.toml has no words for claim bettr");
        let error = words.check(&[Claim::ratio("better", rule)]).unwrap_err();
        assert_eq!(error.to_string(), "claims.toml has words for exact, which is no claim");
        assert!(Words::parse("[a]\nstatment = \"\"").is_err());
    }
}
