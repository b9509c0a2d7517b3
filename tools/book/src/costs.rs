//! What each norm costs, as `cargo bench --bench norms` measured it: `benches/norms.json`.

use crate::sealed;
use anyhow::{Context, Result, bail};
use normbook_lab::plot::{number::number, svg::escape};
use serde::Deserialize;
use std::path::Path;

const FILE: &str = "benches/norms.json";
/// The version of the layout; a file of another is refused.
const SCHEMA: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Costs {
    /// SHA-256 of every other line.
    digest: String,
    schema: u32,
    cpu: String,
    instruction_set: String,
    commit: Option<String>,
    date: String,
    batch: usize,
    steps: usize,
    rounds: usize,
    rows: Vec<Row>,
}

/// A norm, over none: the time of a step with its interval, and the memory that the forward pass leaves for the
/// backward pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    norm: String,
    milliseconds: f64,
    ratio: f64,
    low: f64,
    high: f64,
    held_kib: f64,
    held_ratio: f64,
}

/// What `{{costs …}}` gives: of `machine` where and how it was measured, of `NORM | NAME` a number of its row.
pub fn expand(root: &Path, arguments: &[&str]) -> Result<String> {
    let costs = Costs::read(root)?;
    match arguments {
        ["machine"] => Ok(costs.machine()),
        [norm, name] => {
            let row = costs.row(norm)?;
            let value = match *name {
                "ratio" => row.ratio,
                "milliseconds" => row.milliseconds,
                "held_kib" => row.held_kib,
                "held_ratio" => row.held_ratio,
                other => bail!("no cost {other:?}; there are ratio, milliseconds, held_kib and held_ratio"),
            };
            Ok(number(value))
        }
        _ => bail!("costs takes machine, or a norm and a name"),
    }
}

/// A table of a header and rows that begin with a norm's name, and behind each row what the norm costs.
pub fn beside(root: &Path, table: &[Vec<String>]) -> Result<String> {
    let costs = Costs::read(root)?;
    let (header, rows) = table.split_first().context("a table has a header")?;
    let head: String = header.iter().map(|cell| format!("<th scope=\"col\">{}</th>", escape(cell))).collect();
    let line = |cells: &Vec<String>| -> Result<String> {
        let (name, cells) = cells.split_first().context("a row has a name")?;
        let Row { ratio, low, high, held_ratio, .. } = costs.row(name)?;
        let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
        let (low, high) = (number(*low), number(*high));
        let (ratio, held) = (number(*ratio), number(*held_ratio));
        let name = escape(name);
        Ok(format!(
            "<tr><th scope=\"row\"><code>{name}</code></th>{cells}<td>{ratio}<small>{low}–{high}</small></td><td>{held}</td></tr>\n"
        ))
    };
    let lines: String = rows.iter().map(line).collect::<Result<_>>()?;
    Ok(format!(
        "<div class=\"table-wrapper\" role=\"region\" tabindex=\"0\" aria-label=\"All norms\"><table class=\"speed norms\">\n\
         <thead><tr>{head}<th scope=\"col\">time of a step, over none</th><th scope=\"col\">memory held, over none</th></tr></thead>\n\
         <tbody>\n{lines}</tbody>\n</table></div>\n"
    ))
}

impl Costs {
    fn read(root: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(root.join(FILE));
        Self::parse(&text.with_context(|| format!("cannot read {FILE}; `cargo bench --bench norms` writes it"))?)
    }

    fn parse(text: &str) -> Result<Self> {
        let costs: Self = serde_json::from_str(text)
            .with_context(|| format!("{FILE} is not what `cargo bench --bench norms` writes"))?;
        sealed::check(text, &costs.digest, costs.schema, SCHEMA).context(FILE)?;
        Ok(costs)
    }

    fn row(&self, norm: &str) -> Result<&Row> {
        let row = self.rows.iter().find(|row| row.norm == norm);
        row.with_context(|| format!("{FILE} has no norm {norm:?}; add it to benches/norms.rs and run the benchmark"))
    }

    fn machine(&self) -> String {
        let Self { cpu, instruction_set, commit, date, batch, steps, rounds, .. } = self;
        let commit =
            commit.as_deref().map_or(String::new(), |commit| format!(", commit {}", &commit[..commit.len().min(8)]));
        escape(&format!(
            "batches of {batch}, {rounds} turns of {steps} steps each on one thread, in one run; {cpu} ({instruction_set}), {date}{commit}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook_fingerprint::digest;

    const TEXT: &str = r#"{
 "digest": "DIGEST",
 "schema": 1,
 "cpu": "c",
 "instruction_set": "i",
 "commit": null,
 "date": "d",
 "batch": 32,
 "steps": 1,
 "rounds": 2,
 "rows": []
}
"#;

    #[test]
    fn a_file_that_was_changed_is_refused() {
        let sealed = TEXT.replace("DIGEST", &digest(TEXT));
        assert!(Costs::parse(&sealed).is_ok());
        let refusal = |text: String| format!("{:#}", Costs::parse(&text).err().expect("refused"));
        assert!(refusal(sealed.replace("32", "64")).contains("changed by hand"));
        assert!(refusal(sealed.replace("\"schema\": 1", "\"schema\": 2")).contains("its schema is 2"));
        assert!(refusal(sealed.replace("\"rows\"", "\"lines\"")).contains("unknown field"));
    }
}
