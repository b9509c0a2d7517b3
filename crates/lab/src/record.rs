//! The record: the contract between what ran and what is shown.

use super::atomic::write_atomically;
use super::judgement::JudgedClaim;
use super::protocol::Protocol;
use super::provenance::MadeBy;
use super::trials::{TrialRecord, Trials};
use crate::trial::{Outcome, StepsToTarget, median, six_digits};
use anyhow::{Context, Result, ensure};
use normbook_fingerprint::sha256;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// The version of this layout; a record of another is refused.
pub const SCHEMA: u32 = 1;

/// A chapter's evidence. Two runs on one machine give the same bytes outside `made_by`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    /// `ch01`.
    pub chapter: String,
    pub title: String,
    /// Whether this is the protocol to commit: the book scale on the CPU, without any flag.
    pub committed: bool,
    pub protocol: Protocol,
    /// The settings of each arm's trial, by the arm's name.
    pub arms: BTreeMap<String, Value>,
    pub claims: Vec<JudgedClaim>,
    /// Numbers for the page, see [`derived_values`].
    pub values: BTreeMap<String, f64>,
    pub pilots: Trials,
    pub trials: Trials,
    pub made_by: MadeBy,
}

impl Record {
    /// Reads a record. Errors name the file: missing, not JSON, another schema, or changed by hand.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).context("not JSON")?;
        let schema = value.get("schema").and_then(Value::as_u64).context("it names no schema: not a record")?;
        ensure!(schema == u64::from(SCHEMA), "its schema is {schema}, this program reads {SCHEMA}");
        let record: Self = serde_json::from_value(value).context("not a record")?;
        ensure!(
            record.made_by.digest == record.digest() && record.layout() == text,
            "its digest does not match its contents: it was changed by hand; restore it from git or run the chapter again"
        );
        Ok(record)
    }

    /// The record as text, the digest filled in: objects are spread over lines, lists of numbers are not.
    pub fn to_text(&mut self) -> String {
        self.made_by.digest = self.digest();
        self.layout()
    }

    /// Writes the record in one piece: readers see the old one or the new one.
    pub fn write(&mut self, path: &Path) -> Result<()> {
        write_atomically(path, self.to_text().as_bytes())
    }

    /// SHA-256 of everything but the digest.
    fn digest(&self) -> String {
        let mut bare = self.clone();
        bare.made_by.digest.clear();
        sha256(bare.layout().as_bytes())
    }

    fn layout(&self) -> String {
        let value = serde_json::to_value(self).expect("records hold finite numbers and names");
        let mut text = String::new();
        layout(&value, 0, &mut text);
        text.push('\n');
        text
    }
}

/// What a page may quote, by name: `flags/flag`, `arm/value` of an exact arm, `arm/value/median` and
/// `arm/target/median` over the seeds of a seeded one (a censored or diverged run counts its budget; what it lacks has
/// no median), and `arm/setting` for every numeric setting.
pub fn derived_values<'a>(
    flags: &Value,
    arms: &BTreeMap<String, Value>,
    trials: impl Iterator<Item = &'a TrialRecord>,
) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    for (arm, settings) in [("flags", flags)].into_iter().chain(arms.iter().map(|(arm, spec)| (arm.as_str(), spec))) {
        for (name, setting) in settings.as_object().into_iter().flatten() {
            if let Some(number) = setting.as_f64() {
                values.insert(format!("{arm}/{name}"), number);
            }
        }
    }
    let (mut over_seeds, mut runs) = (BTreeMap::<String, Vec<f64>>::new(), BTreeMap::<&str, usize>::new());
    for trial in trials {
        *runs.entry(&trial.arm).or_default() += 1;
        let finished = trial.trace.outcome == Outcome::Finished;
        let steps = |reach: &StepsToTarget| if finished { reach.at_least() } else { reach.budget as f64 };
        let reached = trial.trace.reached.iter().map(|(name, reach)| (name, steps(reach)));
        for (name, value) in trial.trace.values.iter().map(|(name, value)| (name, *value)).chain(reached) {
            match trial.seed {
                None => drop(values.insert(format!("{}/{name}", trial.arm), value)),
                Some(_) => over_seeds.entry(format!("{}/{name}/median", trial.arm)).or_default().push(value),
            }
        }
    }
    // What a diverged run does not have has no median.
    let whole = over_seeds.into_iter().filter(|(name, samples)| {
        let arm = name.rsplitn(3, '/').last().unwrap_or(name);
        runs.get(arm) == Some(&samples.len())
    });
    let medians = whole.filter_map(|(name, samples)| Some((name, six_digits(median(&samples)?))));
    values.extend(medians);
    values
}

fn layout(value: &Value, depth: usize, text: &mut String) {
    let is_leaf = |value: &Value| !value.is_object() && !value.is_array();
    match value {
        Value::Object(fields) if fields.is_empty() => text.push_str("{}"),
        Value::Object(fields) => {
            let items = fields.iter().map(|(key, value)| (Some(key), value));
            spread(items, ('{', '}'), depth, text);
        }
        Value::Array(items) if !items.iter().all(is_leaf) => {
            spread(items.iter().map(|value| (None, value)), ('[', ']'), depth, text);
        }
        leaf => write!(text, "{leaf}").expect("writing to a string"),
    }
}

fn spread<'a>(
    items: impl Iterator<Item = (Option<&'a String>, &'a Value)>,
    (open, close): (char, char),
    depth: usize,
    text: &mut String,
) {
    text.push(open);
    for (index, (key, value)) in items.enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&" ".repeat(depth + 1));
        if let Some(key) = key {
            write!(text, "{}: ", Value::from(key.as_str())).expect("writing to a string");
        }
        layout(value, depth + 1, text);
    }
    text.push('\n');
    text.push_str(&" ".repeat(depth));
    text.push(close);
}
