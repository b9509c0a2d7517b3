//! A network in training, judged at intervals with every kind of statistics that could be used at test time.

use super::population::{
    OverBatches, Statistics, distances, in_use, newest, over_batches, put, undisturbed, variance_ratio,
};
use candle_core::Result;
use normbook::data::dataset::{CLASSES, Split};
use normbook::norm::Pass;
use normbook::train::accuracy::{accuracy, accuracy_in_batches};
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook::train::training::Snapshot;
use normbook_lab::seed::Purpose;
use normbook_lab::trial::{Outcome, RunContext, Trace, Trial, sample_steps};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When all test images are judged: the name, and what the steps are divided by.
const CHECKPOINTS: [(&str, u64); 3] = [("early", 100), ("middle", 10), ("late", 1)];

/// Points of a curve in every factor of ten of the steps.
const SAMPLES_PER_DECADE: u32 = 5;

/// Sizes of test batches that are judged by their own statistics.
const TEST_BATCHES: [usize; 9] = [2, 4, 8, 16, 32, 64, 128, 256, 1000];

/// Sizes of populations, in batches.
const POPULATIONS: [usize; 6] = [1, 2, 5, 10, 20, 50];

/// What the old value weighs in the layer's own averages.
const LIBRARY: f64 = 0.9;

/// Names of what is judged besides the averages.
const POPULATION: &str = "population";
const ALGORITHM_2: &str = "algorithm 2";
const BIASED: &str = "biased";
const FROZEN: &str = "frozen";
const ODD_BATCH: &str = "odd batch";
const ONE_CLASS: &str = "batch of one class";

/// The trial. The averages do not act on the training: one run serves them all.
#[derive(Clone, Serialize)]
pub struct Testing {
    pub classifier: Classifier,
    /// The averages that are kept, from mean 0 and variance 1 on: p of μ̄ ← p μ̄ + (1 − p) μᵗ.
    pub old_weights: Vec<f64>,
    /// p of one more, which starts as the first batch's statistics.
    pub from_first_batch: f64,
    /// Training images that the population's statistics are taken over.
    pub population_examples: usize,
    /// Test images that are judged at the checkpoints; the curves take the classifier's.
    pub judged_examples: usize,
}

/// Statistics of every normalization, under a name.
#[derive(Serialize, Deserialize)]
struct Candidate {
    name: String,
    layers: Vec<Statistics>,
}

impl Trial for Testing {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.classifier.data()
    }

    /// Besides what the classifier leaves: for the statistics S (`p = 0.9` …, also `from the first batch`;
    /// `population`) the series `accuracy, S`, `mean distance, S` and `deviation distance, S` (see [`distances`]) over
    /// steps; at the checkpoints T (`early`, `middle`, `late`) values `step, T` and `accuracy, S, T`; the series
    /// `accuracy by 1 - p, T`. Late there is more: see [`Testing::last_look`]. A run that diverged guesses in all of
    /// them.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let samples = sample_steps(self.classifier.steps, SAMPLES_PER_DECADE);
        let mut averages = Vec::new();
        let mut trace =
            self.classifier.train(TrainOptions::default(), context, &mut averages, |averages, snapshot, trace| {
                if snapshot.step == 0 {
                    let start = in_use(snapshot.net)?;
                    let names = self.old_weights.iter().map(name_of).chain([self.name_of_last()]);
                    *averages = names.map(|name| Candidate { name, layers: start.clone() }).collect();
                    return Ok(());
                }
                let batch = newest(snapshot.net)?;
                let from_first_batch = if snapshot.step == 1 { 0.0 } else { self.from_first_batch };
                for (p, average) in self.old_weights.iter().chain([&from_first_batch]).zip(averages.iter_mut()) {
                    average.layers.iter_mut().zip(&batch).for_each(|(layer, batch)| layer.follow(batch, *p));
                }
                let (step, steps) = (snapshot.step, self.classifier.steps);
                if samples.contains(&step) {
                    undisturbed(snapshot.net, || self.sample(snapshot, averages, trace))?;
                }
                for (when, _) in CHECKPOINTS.iter().filter(|(_, part)| step == steps.div_ceil(*part)) {
                    undisturbed(snapshot.net, || self.judge(snapshot, averages, when, trace))?;
                }
                if step == steps { undisturbed(snapshot.net, || self.last_look(snapshot, trace)) } else { Ok(()) }
            })?;
        if trace.outcome != Outcome::Finished {
            let guesses = self.names().into_iter().map(|name| (name, 1.0 / CLASSES as f64));
            trace.values.extend(guesses);
        }
        Ok(trace)
    }
}

impl Testing {
    /// A point of each curve.
    fn sample(&self, snapshot: &Snapshot, averages: &[Candidate], trace: &mut Trace) -> Result<()> {
        let step = snapshot.step as f64;
        let truth = self.population(snapshot, self.population_examples)?;
        let judged = first(snapshot.test, self.classifier.curve_examples)?;
        for Candidate { name, layers } in averages {
            let (of_means, of_deviations) = distances(layers, &truth.layers);
            point(trace, format!("mean distance, {name}"), step, of_means);
            point(trace, format!("deviation distance, {name}"), step, of_deviations);
        }
        for candidate in averages.iter().chain([&truth]) {
            point(trace, format!("accuracy, {}", candidate.name), step, candidate.accuracy(snapshot, &judged)?);
        }
        Ok(())
    }

    /// The accuracies of a checkpoint.
    fn judge(&self, snapshot: &Snapshot, averages: &[Candidate], when: &str, trace: &mut Trace) -> Result<()> {
        trace.values.insert(format!("step, {when}"), snapshot.step as f64);
        let (truth, judged) = (self.population(snapshot, self.population_examples)?, self.judged(snapshot)?);
        for candidate in averages.iter().chain([&truth]) {
            let right = candidate.accuracy(snapshot, &judged)?;
            trace.values.insert(format!("accuracy, {}, {when}", candidate.name), right);
        }
        for (p, average) in self.old_weights.iter().zip(averages) {
            let right = trace.values[&format!("accuracy, {}, {when}", average.name)];
            point(trace, format!("accuracy by 1 - p, {when}"), 1.0 - p, right);
        }
        Ok(())
    }

    /// Values `accuracy, S, late` for more S: `algorithm 2`, and `biased`, the same without m / (m − 1); `frozen`, the
    /// averages as they started; `odd batch`, the layer's own after one more batch of two; `batch of M`, test batches
    /// by their own statistics, and `batch of one class`. Values `variance ratio, S, layer L` for the first two. Series
    /// `accuracy by test batch`, `accuracy by population`, and with the former the constant `accuracy in evaluation`.
    fn last_look(&self, snapshot: &Snapshot, trace: &mut Trace) -> Result<()> {
        let (net, test) = (snapshot.net, &self.judged(snapshot)?);
        let mut odd = in_use(net)?;
        let images = self.drawn(snapshot, self.population_examples)?;
        let batches = over_batches(net, &images, self.classifier.batch_size)?;
        net.forward(&images.narrow(0, 2)?.inputs, Pass::PROBE)?;
        for (layer, batch) in odd.iter_mut().zip(newest(net)?) {
            layer.follow(&batch, LIBRARY);
        }
        for (layer, batches) in (1..).zip(&batches) {
            for (name, found) in [(ALGORITHM_2, batches.algorithm_2()), (BIASED, batches.biased())] {
                let ratio = variance_ratio(&found, &batches.precise());
                trace.values.insert(format!("variance ratio, {name}, layer {layer}"), ratio);
            }
        }
        let start = odd.iter().map(|layer| Statistics::start(layer.mean.len())).collect();
        let candidates = [
            (ALGORITHM_2, batches.iter().map(OverBatches::algorithm_2).collect()),
            (BIASED, batches.iter().map(OverBatches::biased).collect()),
            (FROZEN, start),
            (ODD_BATCH, odd),
        ];
        let mut late = |name: &str, right: f64| trace.values.insert(format!("accuracy, {name}, late"), right);
        for (name, layers) in candidates {
            late(name, Candidate { name: name.into(), layers }.accuracy(snapshot, test)?);
        }
        late(ONE_CLASS, accuracy_in_batches(net, &one_class_at_a_time(test)?, 100, Pass::PROBE)?);
        for size in TEST_BATCHES {
            let right = accuracy_in_batches(net, test, size, Pass::PROBE)?;
            trace.values.insert(format!("accuracy, batch of {size}, late"), right);
            point(trace, "accuracy by test batch", size as f64, right);
            point(trace, "accuracy in evaluation", size as f64, trace.values[&format!("accuracy, {POPULATION}, late")]);
        }
        for count in POPULATIONS {
            let examples = (count * self.classifier.batch_size).min(snapshot.train.len());
            let right = self.population(snapshot, examples)?.accuracy(snapshot, test)?;
            trace.values.insert(format!("accuracy, population of {count} batches, late"), right);
            point(trace, "accuracy by population", examples as f64, right);
        }
        Ok(())
    }

    fn name_of_last(&self) -> String {
        format!("{} from the first batch", name_of(&self.from_first_batch))
    }

    fn judged(&self, snapshot: &Snapshot) -> Result<Split> {
        first(snapshot.test, self.judged_examples)
    }

    /// By PreciseBN over so many training images.
    fn population(&self, snapshot: &Snapshot, examples: usize) -> Result<Candidate> {
        let batches = over_batches(snapshot.net, &self.drawn(snapshot, examples)?, self.classifier.batch_size)?;
        Ok(Candidate { name: POPULATION.into(), layers: batches.iter().map(OverBatches::precise).collect() })
    }

    /// So many training images, others at each step.
    fn drawn(&self, snapshot: &Snapshot, examples: usize) -> Result<Split> {
        let order = snapshot.seed.stream(Purpose::Probe, snapshot.step).permutation(snapshot.train.len());
        snapshot.train.select(&order[..examples.min(order.len())])
    }

    /// Of all accuracies.
    fn names(&self) -> Vec<String> {
        let with_all = |(when, _): (&str, u64)| {
            let averages = self.old_weights.iter().map(name_of).chain([self.name_of_last(), POPULATION.into()]);
            averages.map(move |name| format!("accuracy, {name}, {when}")).collect::<Vec<_>>()
        };
        let late = [ALGORITHM_2, BIASED, FROZEN, ODD_BATCH, ONE_CLASS].map(String::from).into_iter();
        let late = late.chain(TEST_BATCHES.map(|size| format!("batch of {size}")));
        let late = late.chain(POPULATIONS.map(|count| format!("population of {count} batches")));
        CHECKPOINTS.into_iter().flat_map(with_all).chain(late.map(|name| format!("accuracy, {name}, late"))).collect()
    }
}

impl Candidate {
    /// Of the network with these statistics.
    fn accuracy(&self, snapshot: &Snapshot, part: &Split) -> Result<f64> {
        put(snapshot.net, &self.layers, part.inputs.device())?;
        accuracy(snapshot.net, part)
    }
}

fn name_of(p: &f64) -> String {
    format!("p = {p}")
}

fn point(trace: &mut Trace, series: impl Into<String>, x: f64, y: f64) {
    let series = trace.series.entry(series.into()).or_default();
    series.x.push(x);
    series.y.push(y);
}

fn first(part: &Split, examples: usize) -> Result<Split> {
    part.narrow(0, examples.min(part.len()))
}

/// The examples in the order of their classes.
fn one_class_at_a_time(part: &Split) -> Result<Split> {
    let classes = part.classes()?.to_vec1::<u32>()?;
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by_key(|example| classes[*example]);
    part.select(&order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::data::dataset::Dataset;
    use normbook::data::fashion_mnist::Files;
    use normbook::norm::NormKind;
    use normbook::train::accuracy::TEST_ACCURACY;
    use normbook::train::classifier::Architecture;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::ended_and_resumed;

    fn trial(learning_rate: f64) -> Testing {
        let (data, mlp) = (Dataset::new(&Files::embedded()).unwrap(), Architecture::Mlp(vec![20]));
        let classifier =
            Classifier { target_accuracy: 0.6, ..Classifier::sgd(&data, mlp, NormKind::BATCH, learning_rate, 50, 100) };
        Testing {
            classifier,
            old_weights: vec![0.0, 0.9, 0.999],
            from_first_batch: 0.999,
            population_examples: 1000,
            judged_examples: 10_000,
        }
    }

    /// Bit for bit; and p = 0.9 is what the layer itself would have used.
    #[test]
    fn the_net_is_left_as_it_was_found() {
        let trial = trial(0.1);
        let watched = trial.run_alone(Seed(1), &Device::Cpu).unwrap();
        let alone = trial.classifier.run_alone(Seed(1), &Device::Cpu).unwrap();
        for (name, series) in &alone.series {
            assert_eq!(&watched.series[name], series, "{name}");
        }
        for (name, value) in &alone.values {
            assert_eq!(watched.values[name].to_bits(), value.to_bits(), "{name}");
        }
        let judged = |name: &str| watched.values[&format!("accuracy, {name}, late")];
        assert!((judged("p = 0.9") - alone.values[TEST_ACCURACY]).abs() <= 0.001);
        assert!(judged(POPULATION) > 0.75 && judged("batch of 2") < judged(POPULATION) - 0.05);
        assert!(judged(FROZEN) < judged(POPULATION));
        assert_eq!(watched.series["accuracy by 1 - p, late"].y[1], judged("p = 0.9"));
        assert_eq!(watched.values["step, early"], 1.0);
        let early = |name: &str| watched.values[&format!("accuracy, {name}, early")];
        assert_eq!(early("p = 0.999 from the first batch"), early("p = 0"));
        assert!(trial.names().iter().all(|name| watched.values.contains_key(name)));
        let accuracies = watched.values.keys().filter(|name| name.starts_with("accuracy, ")).count();
        assert_eq!(trial.names().len(), accuracies);
    }

    #[test]
    fn it_goes_on_where_it_was_ended() {
        let mut trial = trial(0.1);
        (trial.classifier.steps, trial.judged_examples) = (20, 500);
        let whole = trial.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!([1, 2, 11, 20].iter().all(|at| ended_and_resumed(&trial, Seed(0), *at) == whole));
    }

    #[test]
    fn a_diverged_run_guesses() {
        let trial = trial(1e30);
        let trace = trial.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!(matches!(trace.outcome, Outcome::Diverged { .. }));
        assert!(trial.names().iter().all(|name| trace.values[name] == 0.1));
    }

    #[test]
    fn classes_are_sorted_with_their_images() {
        let test = Dataset::new(&Files::embedded()).unwrap().test(&Device::Cpu).unwrap().narrow(0, 50).unwrap();
        let sorted = one_class_at_a_time(&test).unwrap();
        let classes = sorted.classes().unwrap().to_vec1::<u32>().unwrap();
        assert!(classes.is_sorted() && classes[0] < classes[49]);
        let first =
            test.classes().unwrap().to_vec1::<u32>().unwrap().iter().position(|class| *class == classes[0]).unwrap();
        let pixels = |part: &Split, index| part.inputs.get(index).unwrap().flatten_all().unwrap().to_vec1::<f32>();
        assert_eq!(pixels(&sorted, 0).unwrap(), pixels(&test, first).unwrap());
    }
}
