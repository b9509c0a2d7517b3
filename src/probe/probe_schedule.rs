//! When and what the probes of a study look at, and what they have gathered.

use super::covariate_shift::covariate_shift;
use super::gradient_landscape::{Walk, is_finite, random_direction, walk};
use super::moments::{Layers, bins, change, histogram, moments};
use super::objective::{Objective, Slope, norm};
use crate::data::dataset::{CLASSES, Split, Targets};
use crate::norm::Pass;
use crate::train::accuracy::accuracy_in_batches;
use crate::train::training::Snapshot;
use candle_core::{Result, Tensor};
use normbook_lab::seed::Purpose;
use normbook_lab::trial::{Grid, Outcome, Series, Trace, median};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The accuracy on the first [`Probes::examples`] training images, in batches of the training's size and with the noise
/// of the step: series over steps, value at the end; of a diverged run, that of guessing.
pub const TRAIN_ACCURACY: &str = "train_accuracy";

/// Histograms are taken at so many of the looks.
const HISTOGRAMS: u64 = 8;

/// What is shown of a walk from where a level is reached.
const AT_LEVELS: [&str; 4] = ["loss_range", "change_high", "beta", "curvature"];

/// What is measured; what is empty is not.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Probes {
    /// ProbeSchedule, evenly over the training, the start included.
    pub looks: u64,
    /// Training images, always the same, that accuracy, moments and levels are taken on; a deep linear net takes all.
    pub examples: usize,
    /// Layers whose covariate shift is measured, counted from 1, rising.
    pub shift_layers: Vec<usize>,
    /// η′ of the landscape over the learning rate, rising.
    pub multiples: Vec<f64>,
    /// Training losses, falling: the landscape is measured too where each is first reached.
    pub levels: Vec<f64>,
    /// Steps from one look for them to the next.
    pub level_interval: u64,
    /// Hidden layers whose histograms are taken, counted from 1.
    pub histogram_layers: Vec<usize>,
}

/// The looks at a training.
pub struct ProbeSchedule<'a> {
    probes: &'a Probes,
    steps: u64,
    learning_rate: f64,
    batch_size: usize,
}

/// What the looks have gathered.
#[derive(Serialize, Deserialize)]
pub struct ProbeState {
    series: BTreeMap<String, Series>,
    grids: BTreeMap<String, Grid>,
    /// Moments at the newest look, for the change to the step after it.
    last: Option<[Layers; 2]>,
    levels_reached: usize,
}

impl<'a> ProbeSchedule<'a> {
    /// Makes the schedule of a training of so many steps at a learning rate, in batches of one size.
    pub fn new(probes: &'a Probes, steps: u64, learning_rate: f64, batch_size: usize) -> Self {
        Self { probes, steps, learning_rate, batch_size }
    }

    /// Before the first look.
    pub fn nothing_seen(&self) -> ProbeState {
        // There even if no level is reached.
        let directions = if self.probes.multiples.is_empty() { &[][..] } else { &["gradient", "random"] };
        let of_levels =
            directions.iter().flat_map(|direction| AT_LEVELS.map(|what| format!("{direction}_level_{what}")));
        let of_levels = of_levels.chain(["level_step".into()]).filter(|_| !self.probes.levels.is_empty());
        let (series, grids) = (of_levels.map(|name| (name, Series::default())).collect(), BTreeMap::new());
        ProbeState { series, grids, last: None, levels_reached: 0 }
    }

    fn interval(&self) -> u64 {
        (self.steps / self.probes.looks).max(1)
    }

    fn is_look(&self, step: u64) -> bool {
        step.is_multiple_of(self.interval()) || step == self.steps
    }

    fn seeks_level(&self, seen: &ProbeState, step: u64) -> bool {
        seen.levels_reached < self.probes.levels.len() && step.is_multiple_of(self.probes.level_interval.max(1))
    }

    fn wants(&self, seen: &ProbeState, step: u64) -> bool {
        self.is_look(step) || seen.last.is_some() || self.seeks_level(seen, step)
    }

    /// The examples that are always the same: the first training images, or all of a network that trains on all at
    /// once.
    fn fixed(&self, snapshot: &Snapshot) -> Result<Split> {
        match snapshot.train.targets {
            Targets::Classes(_) => snapshot.train.narrow(0, self.probes.examples.min(snapshot.train.len())),
            Targets::Values(_) => Ok(snapshot.train.clone()),
        }
    }

    /// ProbeSchedule, if it is time to.
    pub fn see(&self, seen: &mut ProbeState, snapshot: &Snapshot) -> Result<()> {
        if !self.wants(seen, snapshot.step) {
            return Ok(());
        }
        let pass = Pass::probe(snapshot.step, snapshot.seed);
        if let Some(before) = seen.last.take() {
            let after = moments(snapshot.net, &self.fixed(snapshot)?.inputs, pass)?;
            for (place, (before, after)) in ["input", "output"].iter().zip(before.iter().zip(&after)) {
                if let Some(change) = change(before, after) {
                    let step = (snapshot.step - 1) as f64;
                    seen.push(format!("{place}_mean_change"), step, change.of_mean);
                    seen.push(format!("{place}_variance_change"), step, change.of_variance);
                }
            }
        }
        if self.is_look(snapshot.step) {
            self.look(seen, snapshot, pass)?;
        }
        if self.seeks_level(seen, snapshot.step) {
            self.seek_level(seen, snapshot)?;
        }
        Ok(())
    }

    fn look(&self, seen: &mut ProbeState, snapshot: &Snapshot, pass: Pass) -> Result<()> {
        let (step, fixed) = (snapshot.step as f64, self.fixed(snapshot)?);
        if let Targets::Classes(_) = &fixed.targets {
            let right = accuracy_in_batches(snapshot.net, &fixed, self.batch_size, pass)?;
            seen.push(TRAIN_ACCURACY, step, right);
        }
        if snapshot.step < self.steps {
            seen.last = Some(moments(snapshot.net, &fixed.inputs, pass)?);
        }
        let look = snapshot.step / self.interval();
        if look.is_multiple_of(self.probes.looks.div_ceil(HISTOGRAMS)) {
            for layer in &self.probes.histogram_layers {
                let density = histogram(snapshot.net, &fixed.inputs, pass, *layer)?;
                seen.column(format!("histogram_layer_{layer}"), step, bins(), density);
            }
        }
        let needs_slope = !self.probes.shift_layers.is_empty() || !self.probes.multiples.is_empty();
        if snapshot.batch.is_empty() || !needs_slope {
            return Ok(());
        }
        let batch = snapshot.train.select(snapshot.batch)?;
        let objective = Objective::new(snapshot.net, &batch, snapshot.step, snapshot.seed);
        let slope = objective.slope()?;
        if !is_finite(&slope)? {
            return Ok(());
        }
        seen.push("batch_loss", step, slope.loss);
        seen.push("gradient_norm", step, norm(&slope.gradients)?);
        let layers = &self.probes.shift_layers;
        for (layer, shift) in layers.iter().zip(covariate_shift(&objective, &slope, self.learning_rate, layers)?) {
            seen.push(format!("shift_difference_layer_{layer}"), step, shift.difference);
            for (what, value) in [("relative", shift.relative), ("cosine", shift.cosine)] {
                value.into_iter().for_each(|value| seen.push(format!("shift_{what}_layer_{layer}"), step, value));
            }
        }
        for (direction, walk) in self.walks(snapshot, &objective, &slope)? {
            for (what, value) in findings(&walk) {
                seen.push(format!("{direction}_{what}"), step, value);
            }
            let name = format!("{direction}_beta_by_distance");
            seen.column(name, step, self.probes.multiples.clone(), walk.beta);
        }
        Ok(())
    }

    /// Along the gradient, and along a random direction. None if there are no distances.
    fn walks(&self, snapshot: &Snapshot, objective: &Objective, slope: &Slope) -> Result<Vec<(&'static str, Walk)>> {
        if self.probes.multiples.is_empty() {
            return Ok(Vec::new());
        }
        let distances: Vec<f64> = self.probes.multiples.iter().map(|times| times * self.learning_rate).collect();
        let random = random_direction(slope, &mut snapshot.seed.stream(Purpose::Probe, snapshot.step))?;
        let along = |direction: &[Tensor]| walk(objective, slope, direction, &distances);
        Ok(vec![("gradient", along(&slope.gradients)?), ("random", along(&random)?)])
    }

    /// Measures the landscape if the loss over the fixed examples has come down to the next level.
    fn seek_level(&self, seen: &mut ProbeState, snapshot: &Snapshot) -> Result<()> {
        if snapshot.batch.is_empty() {
            return Ok(());
        }
        let batch = snapshot.train.select(snapshot.batch)?;
        let loss = self.loss_in_batches(snapshot, &self.fixed(snapshot)?)?;
        let mut found = None;
        while let Some(level) = self.probes.levels.get(seen.levels_reached).copied().filter(|level| loss <= *level) {
            seen.levels_reached += 1;
            if found.is_none() {
                let objective = Objective::new(snapshot.net, &batch, snapshot.step, snapshot.seed);
                found = Some(self.walks(snapshot, &objective, &objective.slope()?)?);
            }
            seen.push("level_step", level, snapshot.step as f64);
            for (direction, walk) in found.iter().flatten() {
                for (what, value) in findings(walk) {
                    if AT_LEVELS.contains(&what) {
                        seen.push(format!("{direction}_level_{what}"), level, value);
                    }
                }
            }
        }
        Ok(())
    }

    /// The mean loss over the fixed examples, in batches of the training's size; what does not fill one is left out.
    fn loss_in_batches(&self, snapshot: &Snapshot, fixed: &Split) -> Result<f64> {
        let size = self.batch_size.min(fixed.len());
        let mut losses = Vec::new();
        for start in (0..=fixed.len() - size).step_by(size) {
            let batch = fixed.narrow(start, size)?;
            losses.push(Objective::new(snapshot.net, &batch, snapshot.step, snapshot.seed).loss()?);
        }
        Ok(losses.iter().sum::<f64>() / losses.len() as f64)
    }
}

impl ProbeState {
    fn push(&mut self, name: impl Into<String>, x: f64, y: f64) {
        let series = self.series.entry(name.into()).or_default();
        series.x.push(x);
        series.y.push(y);
    }

    /// Adds a column to a grid that is kept by rows.
    fn column(&mut self, name: String, x: f64, y: Vec<f64>, column: Vec<f64>) {
        let grid = self.grids.entry(name).or_insert_with(|| Grid { x: Vec::new(), y, z: Vec::new() });
        grid.x.push(x);
        for (row, value) in column.into_iter().enumerate() {
            grid.z.insert((row + 1) * grid.x.len() - 1, value);
        }
    }

    /// Adds what was found.
    pub fn finish(self, trace: &mut Trace) {
        for (name, Series { y, .. }) in &self.series {
            let is = |beginnings: &[&str]| beginnings.iter().any(|beginning| name.starts_with(beginning));
            if is(&["input_", "output_", "shift_"]) {
                trace.values.insert(name.clone(), y.iter().sum::<f64>() / y.len() as f64);
            } else if is(&["gradient_", "random_"]) && !name.contains("_level_") {
                trace.values.extend(median(y).map(|middle| (name.clone(), middle)));
            }
        }
        if let Some(accuracy) = self.series.get(TRAIN_ACCURACY).and_then(|series| series.y.last()) {
            let finished = trace.outcome == Outcome::Finished;
            trace.values.insert(TRAIN_ACCURACY.into(), if finished { *accuracy } else { 1.0 / CLASSES as f64 });
        }
        trace.series.extend(self.series);
        trace.grids.extend(self.grids);
    }
}

/// What is shown of a walk.
fn findings(walk: &Walk) -> [(&'static str, f64); 7] {
    let lowest = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    [
        ("loss_low", lowest(&walk.loss)),
        ("loss_high", highest(&walk.loss)),
        ("loss_range", highest(&walk.loss) - lowest(&walk.loss)),
        ("change_low", lowest(&walk.change)),
        ("change_high", highest(&walk.change)),
        ("beta", highest(&walk.beta)),
        ("curvature", walk.curvature.first().copied().unwrap_or_default()),
    ]
}
