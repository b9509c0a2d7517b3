//! How fast training is, as pages show it.

use crate::timings::{Row, Timings};
use anyhow::{Result, bail};
use normbook_lab::plot::number::number;
use normbook_lab::plot::svg::escape;
use std::path::Path;

/// What `{{speed …}}` gives:
///
/// - `1`, `all`: the table of all works on so many threads
/// - `missed`: the goals that were not reached
/// - `machine`: machine, versions and date
/// - `plan`: how long was measured
/// - `peak | THREADS | NAME`: what the machine does at best
/// - `WORK | THREADS | NAME`: a number of the table
pub fn expand(root: &Path, arguments: &[&str]) -> Result<String> {
    let timings = Timings::read(root)?;
    match arguments {
        ["missed"] => Ok(missed(&timings)),
        ["machine"] => Ok(machine(&timings)),
        ["plan"] => Ok(format!("{} turns of {} s", timings.plan.rounds, number(timings.plan.turn_seconds))),
        [threads] => Ok(table(&timings, timings.threads(threads)?)),
        ["peak", threads, name] => peak(&timings, timings.threads(threads)?, name),
        [work, threads, name] => field(timings.row(work, timings.threads(threads)?)?, name),
        _ => bail!("speed takes 1, all, missed, machine, plan, or three arguments: a work or peak, threads, a name"),
    }
}

fn table(timings: &Timings, threads: usize) -> String {
    let compiled = timings.rows.iter().any(|row| row.pytorch_compiled_ms.is_some());
    let caption = if threads == 1 { "One thread".into() } else { format!("{threads} threads") };
    let rows: String = timings.rows_on(threads).map(|row| table_row(row, compiled)).collect();
    format!(
        "<div class=\"table-wrapper\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\"><table class=\"speed\">\n\
         <caption>{caption}, milliseconds</caption>\n<thead><tr><th>Work</th><th>times as fast</th>\
         <th>asked for</th><th>ours</th><th>PyTorch</th><th>default allocator</th>{}<th>limit</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n",
        if compiled { "<th>compiled</th>" } else { "" }
    )
}

fn table_row(row: &Row, with_compiled: bool) -> String {
    let time = |kind: &str, median: f64| match row.quartiles.get(kind) {
        Some((first, third)) => format!("<td>{}<small>{}–{}</small></td>", short(median), short(*first), short(*third)),
        None => format!("<td>{}</td>", short(median)),
    };
    let compiled = row.pytorch_compiled_ms.map_or("<td>–</td>".into(), |median| time("pytorch_compiled", median));
    let verdict = row.reached.map_or(String::new(), |reached| {
        let word = if reached { "reached" } else { "missed" };
        format!("<small class=\"{word}\">{word}</small>")
    });
    format!(
        "<tr><th scope=\"row\">{}<small>{}</small></th><td>{}</td><td>{}{verdict}</td>{}{}{}{}<td>{}<small>{}</small></td>\
         </tr>\n",
        escape(&row.title),
        escape(&circumstances(row)),
        hundredths(row.ratio),
        goal(row),
        time("ours", row.ours_ms),
        time("pytorch", row.pytorch_ms),
        time("pytorch_default", row.pytorch_default_ms),
        if with_compiled { compiled } else { String::new() },
        short(row.floor_ms),
        escape(&row.floor),
    )
}

/// Batch, what one time is of, and how PyTorch did trials best.
fn circumstances(row: &Row) -> String {
    let (batch, unit) = (row.batch, &row.unit);
    let split = &row.pytorch_split;
    if unit == "step" { format!("batch {batch}") } else { format!("batch {batch}, a {unit}; PyTorch: {split}") }
}

fn goal(row: &Row) -> String {
    let over_floor = row.goal_over_floor.map_or(String::new(), |over| format!(", {} × limit", number(over)));
    row.goal_ratio.map_or("–".into(), |ratio| format!("{ratio:.1}{over_floor}"))
}

fn missed(timings: &Timings) -> String {
    let item = |row: &Row| {
        let (title, threads) = (escape(&row.title), row.threads);
        let (found, over_floor) = (hundredths(row.ratio), hundredths(row.ours_ms / row.floor_ms));
        let circumstances = escape(&circumstances(row));
        let limit = row.goal_over_floor.map_or(String::new(), |_| format!(" and {over_floor} × limit"));
        format!(
            "<li>{title}, {circumstances}, threads: {threads}. Found {found}{limit}, asked for {}.</li>\n",
            goal(row)
        )
    };
    let missed: String = timings.rows.iter().filter(|row| row.reached == Some(false)).map(item).collect();
    if missed.is_empty() { "Every goal is reached.".into() } else { format!("<ul>\n{missed}</ul>\n") }
}

fn machine(timings: &Timings) -> String {
    let (machine, made_by) = (&timings.machine, &timings.made_by);
    let commit = made_by.commit.as_deref().map_or(String::new(), |commit| {
        let changed = if commit.contains('+') { " with changes" } else { "" };
        format!(" (commit {}{changed})", &commit[..commit.len().min(8)])
    });
    escape(&format!(
        "{} cores of {} ({}); normbook {}{commit}, kernels {}, {}; PyTorch {}, Python {}; {}",
        machine.cores,
        machine.cpu,
        machine.instruction_set,
        made_by.normbook,
        made_by.kernels,
        made_by.rustc,
        made_by.torch,
        made_by.python,
        made_by.date
    ))
}

fn peak(timings: &Timings, threads: usize, name: &str) -> Result<String> {
    let peak = timings.peak(threads)?;
    Ok(short(match name {
        "ours" => peak.ours_gflops,
        "pytorch" => peak.pytorch_gflops,
        "copy" => peak.copy_gb_per_s,
        other => bail!("speed: no peak {other:?}; there are ours, pytorch, copy"),
    }))
}

fn field(row: &Row, name: &str) -> Result<String> {
    Ok(match name {
        "ours" => short(row.ours_ms),
        "pytorch" => short(row.pytorch_ms),
        "default" => short(row.pytorch_default_ms),
        "floor" => short(row.floor_ms),
        "ratio" => hundredths(row.ratio),
        "over-floor" => hundredths(row.ours_ms / row.floor_ms),
        other => bail!("speed: no number {other:?}; there are ours, pytorch, default, floor, ratio, over-floor"),
    })
}

/// Three digits.
fn short(value: f64) -> String {
    number(format!("{value:.2e}").parse().expect("a formatted number parses"))
}

fn hundredths(ratio: f64) -> String {
    format!("{ratio:.2}")
}
