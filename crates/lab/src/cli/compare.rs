//! The run of a reader beside the committed one: what readers come back for.

use super::report::{measurement, table};
use crate::judgement::JudgedClaim;
use crate::plot::number::number;
use crate::record::Record;
use std::collections::BTreeSet;

/// Every claim, and every value of the flags and of the judged arms that differs.
pub fn side_by_side(committed: &Record, yours: &Record) -> String {
    let mut rows = vec![vec!["".into(), "committed".into(), "yours".into()]];
    for claim in &yours.claims {
        let other = committed.claims.iter().find(|other| other.id == claim.id);
        for (index, part) in claim.measurements.iter().enumerate() {
            let before = other.and_then(|other| Some(measurement(other, other.measurements.get(index)?)));
            let name = format!("{} ({})", claim.id, part.condition);
            rows.push(vec![name, before.unwrap_or("–".into()), measurement(claim, part)]);
        }
        let verdict = other.map_or("–".into(), JudgedClaim::outcome);
        rows.push(vec![format!("{}: verdict", claim.id), verdict, claim.outcome()]);
    }
    let all = committed.values.keys().chain(yours.values.keys());
    let names: BTreeSet<&String> = all.filter(|name| is_judged(yours, name)).collect();
    let shown = |record: &Record, name: &String| record.values.get(name).map_or("–".into(), |value| number(*value));
    for name in names {
        if committed.values.get(name) != yours.values.get(name) {
            rows.push(vec![name.clone(), shown(committed, name), shown(yours, name)]);
        }
    }
    table(&rows)
}

/// Whether a value is a flag or belongs to a judged arm: those of pilots would drown the rest.
fn is_judged(record: &Record, name: &str) -> bool {
    let arm = name.split('/').next().unwrap_or(name);
    arm == "flags" || record.trials.trials.iter().any(|trial| trial.arm == arm)
}
