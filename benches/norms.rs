//! What a norm costs: `cargo bench --bench norms` trains the CNN of chapter 16 with each of its norms, in turns on one
//! thread, prints the time of a step and the memory held for the backward pass over those without a norm, and writes
//! `benches/norms.json`, which the chapter's page reads.

use anyhow::{Context, Result};
use candle_core::Device;
use cap::Cap;
use mimalloc::MiMalloc;
use normbook::data::dataset::{Dataset, Split};
use normbook::data::fashion_mnist::Files;
use normbook::net::{Net, convolutional::SMALL_CNN};
use normbook::norm::{NormKind, Pass};
use normbook::probe::benchmark::{CLIPPED, NORMS};
use normbook::train::classifier::{Architecture, Classifier};
use normbook::train::optimizer::{Optimizer, OptimizerKind};
use normbook_lab::atomic::write_atomically;
use normbook_lab::cli::{report, threads};
use normbook_lab::plot::number::number;
use normbook_lab::provenance::{commit, cpu, instruction_set, today};
use normbook_lab::seed::Seed;
use normbook_lab::statistics::log_t_interval;
use normbook_ops::cross_entropy::cross_entropy;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

const BATCH: usize = 32;
const STEPS: usize = 10;
const ROUNDS: usize = 41;

fn main() -> ExitCode {
    let measured = threads::one_per_trial().and_then(|done| match done {
        Some(code) => Ok(code),
        None => measure().map(|()| ExitCode::SUCCESS),
    });
    measured.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn measure() -> Result<()> {
    let data = Dataset::new(&Files::embedded())?;
    let batch = data.train(&Device::Cpu)?.narrow(0, BATCH)?;
    let of_norm = |norm: &&'static str| Training::new(norm, norm.parse()?, OptimizerKind::Sgd, &data);
    let mut trainings: Vec<Training> = NORMS.iter().map(of_norm).collect::<Result<_>>()?;
    trainings.push(Training::new(CLIPPED.0, NormKind::None, CLIPPED.1, &data)?);
    let mut costs = vec![Cost::default(); trainings.len()];
    for round in 0..=ROUNDS {
        for (training, cost) in trainings.iter_mut().zip(&mut costs) {
            let started = Instant::now();
            for _ in 0..STEPS {
                cost.held = training.step(&batch)?;
            }
            // The first round warms up.
            if round > 0 {
                cost.milliseconds.push(started.elapsed().as_secs_f64() * 1e3 / STEPS as f64);
            }
        }
    }
    let names: Vec<&str> = trainings.iter().map(|training| training.name).collect();
    let rows: Vec<Row> = costs.iter().map(|cost| cost.over(&costs[0])).collect::<Result<_>>()?;
    report::print(&table(&names, &rows))?;
    write(&names, &rows)
}

/// A net in training.
struct Training {
    name: &'static str,
    net: Box<dyn Net>,
    optimizer: Optimizer,
    steps: u64,
}

impl Training {
    fn new(name: &'static str, norm: NormKind, rule: OptimizerKind, data: &Dataset) -> Result<Self> {
        let cnn = Architecture::Convolutional(&SMALL_CNN);
        let net = Classifier::sgd(data, cnn, norm, 1e-3, BATCH, 1).net(Seed(0), &Device::Cpu)?;
        let optimizer = Optimizer::new(rule, net.parameters(), 1e-3)?;
        Ok(Self { name, net, optimizer, steps: 0 })
    }

    /// One step; returns the bytes that its forward pass left for the backward pass.
    fn step(&mut self, batch: &Split) -> Result<usize> {
        let before = ALLOCATOR.allocated();
        let loss =
            cross_entropy(&self.net.forward(&batch.inputs, Pass::train(self.steps, Seed(0)))?, batch.classes()?)?;
        let held = ALLOCATOR.allocated().saturating_sub(before);
        self.optimizer.step(&loss.backward()?)?;
        self.steps += 1;
        Ok(held)
    }
}

#[derive(Clone, Default)]
struct Cost {
    /// Of a step, by round.
    milliseconds: Vec<f64>,
    held: usize,
}

struct Row {
    milliseconds: f64,
    ratio: f64,
    low: f64,
    high: f64,
    held_kib: f64,
    held_ratio: f64,
}

impl Cost {
    fn over(&self, plain: &Self) -> Result<Row> {
        let interval = |samples: &[f64]| log_t_interval(samples, 0.95).context("there are several rounds");
        let ratios: Vec<f64> =
            self.milliseconds.iter().zip(&plain.milliseconds).map(|(ms, plain)| ms / plain).collect();
        let ratio = interval(&ratios)?;
        Ok(Row {
            milliseconds: interval(&self.milliseconds)?.estimate,
            ratio: ratio.estimate,
            low: ratio.low,
            high: ratio.high,
            held_kib: self.held as f64 / 1024.0,
            held_ratio: self.held as f64 / plain.held as f64,
        })
    }
}

fn table(names: &[&str], rows: &[Row]) -> String {
    let header = ["", "ms a step", "over none", "95 % interval", "KiB held", "over none"].map(str::to_owned).to_vec();
    let line = |(name, row): (&&str, &Row)| {
        let interval = format!("{} to {}", number(row.low), number(row.high));
        let [time, ratio, held, held_ratio] = [row.milliseconds, row.ratio, row.held_kib, row.held_ratio].map(number);
        vec![(*name).to_owned(), time, ratio, interval, held, held_ratio]
    };
    report::table(&std::iter::once(header).chain(names.iter().zip(rows).map(line)).collect::<Vec<_>>())
}

fn write(names: &[&str], rows: &[Row]) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let digits = |value: f64| -> f64 { format!("{value:.3e}").parse().expect("a formatted number parses") };
    let row = |(name, row): (&&str, &Row)| {
        json!({
            "norm": name,
            "milliseconds": digits(row.milliseconds),
            "ratio": digits(row.ratio),
            "low": digits(row.low),
            "high": digits(row.high),
            "held_kib": digits(row.held_kib),
            "held_ratio": digits(row.held_ratio),
        })
    };
    let costs = json!({
        "digest": "",
        "schema": 1,
        "cpu": cpu(),
        "instruction_set": instruction_set(),
        "commit": commit(root),
        "date": today(),
        "batch": BATCH,
        "steps": STEPS,
        "rounds": ROUNDS,
        "rows": names.iter().zip(rows).map(row).collect::<Vec<_>>(),
    });
    let text = one_space_indented(&costs)?;
    let digest = normbook_fingerprint::digest(&text);
    let text = text.replacen("\"digest\": \"\"", &format!("\"digest\": \"{digest}\""), 1);
    write_atomically(&root.join("benches/norms.json"), text.as_bytes())
}

fn one_space_indented(value: &serde_json::Value) -> Result<String> {
    use serde::Serialize;
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))?;
    bytes.push(b'\n');
    Ok(String::from_utf8(bytes)?)
}
