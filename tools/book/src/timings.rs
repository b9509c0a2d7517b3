//! What `benches/versus_pytorch.py` measured: `benches/versus_pytorch.json`.

use crate::sealed;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

const FILE: &str = "benches/versus_pytorch.json";
/// The version of the layout; a file of another is refused.
const SCHEMA: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timings {
    /// SHA-256 of every other line.
    digest: String,
    schema: u32,
    /// Whether every work was measured at full length.
    whole: bool,
    pub machine: Machine,
    pub made_by: MadeBy,
    pub plan: Plan,
    /// One for each number of threads.
    peaks: Vec<Peak>,
    pub rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub cpu: String,
    pub instruction_set: String,
    pub cores: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeBy {
    pub normbook: String,
    pub commit: Option<String>,
    pub kernels: String,
    pub rustc: String,
    pub date: String,
    pub torch: String,
    pub python: String,
}

/// How many turns every side had, and about how long one was.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub rounds: usize,
    pub turn_seconds: f64,
}

/// What the machine does at best.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    threads: usize,
    pub ours_gflops: f64,
    pub pytorch_gflops: f64,
    pub copy_gb_per_s: f64,
}

/// A work on so many threads: medians over the turns.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub work: String,
    pub title: String,
    pub batch: usize,
    /// What the times are of: a step, or a trial.
    pub unit: String,
    pub threads: usize,
    pub ours_ms: f64,
    pub pytorch_ms: f64,
    pub pytorch_default_ms: f64,
    pub pytorch_compiled_ms: Option<f64>,
    /// How many times as fast we are.
    pub ratio: f64,
    pub floor_ms: f64,
    /// What the floor is the time of: `arithmetic` or `memory`.
    pub floor: String,
    pub goal_ratio: Option<f64>,
    pub goal_over_floor: Option<f64>,
    pub reached: Option<bool>,
    /// How PyTorch was spread over the cores.
    pub pytorch_split: String,
    /// First and third quartile, by kind of side.
    pub quartiles: BTreeMap<String, (f64, f64)>,
}

impl Timings {
    /// Errors if the file is missing, a first look, or changed by hand.
    pub fn read(root: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(root.join(FILE));
        let text = text.with_context(|| format!("cannot read {FILE}; `python benches/versus_pytorch.py` writes it"))?;
        Self::parse(&text).context(FILE)
    }

    fn parse(text: &str) -> Result<Self> {
        let timings: Self = serde_json::from_str(text).context("not what versus_pytorch.py writes")?;
        sealed::check(text, &timings.digest, timings.schema, SCHEMA)?;
        ensure!(timings.whole, "a first look (--quick, --only) and not the whole run that pages may quote");
        Ok(timings)
    }

    /// From `1`, or `all` for as many as the machine has cores.
    pub fn threads(&self, text: &str) -> Result<usize> {
        match text {
            "1" => Ok(1),
            "all" => Ok(self.machine.cores),
            other => bail!("threads are 1 or all, not {other:?}"),
        }
    }

    pub fn peak(&self, threads: usize) -> Result<&Peak> {
        let peak = self.peaks.iter().find(|peak| peak.threads == threads);
        peak.with_context(|| format!("{FILE} has no peak on {threads} threads"))
    }

    pub fn rows_on(&self, threads: usize) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.threads == threads)
    }

    pub fn row(&self, work: &str, threads: usize) -> Result<&Row> {
        let known = || self.rows_on(threads).map(|row| row.work.as_str()).collect::<Vec<_>>().join(", ");
        let row = self.rows_on(threads).find(|row| row.work == work);
        row.with_context(|| format!("{FILE} has no work {work:?} on {threads} threads; it has {}", known()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook_fingerprint::digest;

    const WHOLE: &str = r#"{
 "digest": "DIGEST",
 "schema": 1,
 "whole": true,
 "machine": {"cpu": "c", "instruction_set": "i", "cores": 2},
 "made_by": {"normbook": "0", "commit": null, "kernels": "fused", "rustc": "r", "date": "d", "torch": "t", "python": "p"},
 "plan": {"rounds": 1, "turn_seconds": 0.1},
 "peaks": [{"threads": 1, "ours_gflops": 1, "pytorch_gflops": 2, "copy_gb_per_s": 3}],
 "rows": []
}
"#;

    fn refusal(text: &str) -> String {
        let text = text.replace("DIGEST", &digest(text));
        Timings::parse(&text).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn only_a_whole_run_as_it_was_written_is_read() {
        assert_eq!(refusal(WHOLE), "");
        for (old, new, complaint) in [
            ("\"schema\": 1", "\"schema\": 2", "its schema is 2"),
            ("\"whole\": true", "\"whole\": false", "a first look"),
            ("\"cores\": 2", "\"cores\": 2, \"nonsense\": 1", "unknown field"),
            ("DIGEST", "0123", "changed by hand"),
        ] {
            assert!(refusal(&WHOLE.replace(old, new)).contains(complaint), "{complaint}");
        }
    }
}
