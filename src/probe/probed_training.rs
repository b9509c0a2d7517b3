//! A training with the probes of Santurkar et al. 2018 (arXiv:1805.11604) on it. Chapters 6 to 9 share its stored runs,
//! so each measures all that any of them needs; a chapter keeps in its record what it shows.

use super::probe_schedule::Probes;
use super::subject::Subject;
use candle_core::Result;
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial. Its training is that of the subject alone, to the bit.
#[derive(Clone, Serialize)]
pub struct ProbedTraining {
    pub subject: Subject,
    pub probes: Probes,
}

impl Trial for ProbedTraining {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.subject.data()
    }

    /// Besides the training's, over steps: series `train_accuracy` (see [`super::probe_schedule::TRAIN_ACCURACY`]);
    /// `input_mean_change`, `input_variance_change` and the same with `output_`, of what activations are applied to and
    /// of what they give (see [`super::moments`]); `shift_difference_layer_5`, `shift_relative_..` and
    /// `shift_cosine_..`; `gradient_norm`, `batch_loss`; with `gradient_` or `random_` for the direction before them
    /// `loss_low`, `loss_high`, `loss_range`, `change_low`, `change_high`, `beta` (the largest over η′) and `curvature`
    /// (at the shortest η′). Over levels of the loss instead: `level_step`, and with the direction before them
    /// `level_loss_range`, `level_change_high`, `level_beta`, `level_curvature`. Grids: `gradient_beta_by_distance` and
    /// the same with `random_` (x: step, y: η′ over the learning rate); `histogram_layer_2`. Values by the same names:
    /// means over the looks of changes and shifts, medians of what walks found.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let looks = self.subject.schedule(&self.probes);
        let mut seen = looks.nothing_seen();
        let mut trace = self.subject.train(context, &mut seen, |seen, snapshot, _| looks.see(seen, snapshot))?;
        seen.finish(&mut trace);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Net, layer::Activation};
    use crate::norm::Pass;
    use crate::probe::{moments::bins, probe_schedule::TRAIN_ACCURACY};
    use crate::testing::classifier;
    use crate::train::{classifier::Architecture, deep_linear::DeepLinear};
    use candle_core::{Device, Tensor};
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::ended_and_resumed;
    use normbook_lab::trial::FINAL_LOSS;

    const NORMS: [&str; 8] = ["none", "batch", "noisy", "noise", "noise:scaled", "lp:1", "lp:2", "lp:inf"];

    fn probes(levels: Vec<f64>) -> Probes {
        Probes {
            looks: 5,
            examples: 60,
            shift_layers: vec![2, 3],
            multiples: vec![0.5, 4.0],
            levels,
            level_interval: 2,
            histogram_layers: vec![1],
        }
    }

    fn of_classifier(norm: &str) -> ProbedTraining {
        let mut training = classifier(norm.parse().unwrap());
        training.architecture = Architecture::Mlp(vec![12, 11]);
        training.hidden.activation = Activation::Relu;
        ProbedTraining { subject: Subject::Classifier(training), probes: probes(vec![2.2, 1.0]) }
    }

    fn of_deep_linear(norm: &str) -> ProbedTraining {
        let (norm, learning_rate) = (norm.parse().unwrap(), 1e-6);
        let net = DeepLinear { layers: 5, width: 4, examples: 30, norm, learning_rate, steps: 10, target_loss: 0.0 };
        ProbedTraining { subject: Subject::DeepLinear(net), probes: probes(vec![1e9]) }
    }

    /// Every parameter, and what a next training step and an evaluation give: moving averages and noise are in them.
    fn state(net: &dyn Net, inputs: &Tensor, step: u64, seed: Seed) -> Result<Vec<Vec<f32>>> {
        let mut tensors: Vec<Tensor> = net.parameters().iter().map(|parameter| parameter.as_tensor().clone()).collect();
        tensors.push(net.forward(inputs, Pass::EVAL)?);
        tensors.push(net.forward(inputs, Pass::probe(step, seed))?);
        for running in net.norms().iter().filter_map(|norm| norm.running()) {
            tensors.extend([running.moments()?.mean, running.moments()?.variance]);
        }
        tensors.iter().map(|tensor| tensor.flatten_all()?.to_vec1()).collect()
    }

    /// The states of the net step by step, with all probes on it or none.
    fn states(study: &ProbedTraining, probed: bool) -> (Vec<Vec<Vec<f32>>>, Trace) {
        let (subject, mut states) = (&study.subject, Vec::new());
        let looks = subject.schedule(&study.probes);
        let context = &RunContext::alone(Seed(3), &Device::Cpu);
        let trace = subject.train(context, &mut looks.nothing_seen(), |seen, snapshot, _| {
            if probed {
                looks.see(seen, snapshot)?;
            }
            states.push(state(snapshot.net, &snapshot.train.narrow(0, 30)?.inputs, snapshot.step, snapshot.seed)?);
            Ok(())
        });
        (states, trace.unwrap())
    }

    #[test]
    fn the_probes_leave_the_net_as_they_found_it_to_the_bit() {
        for norm in NORMS {
            for study in [of_classifier(norm), of_deep_linear(norm)] {
                let ((probed, of_probed), (plain, of_plain)) = (states(&study, true), states(&study, false));
                assert_eq!(plain.len(), 11);
                assert!(probed == plain, "{norm}: the states differ");
                assert_eq!(of_probed, of_plain, "{norm}");
                let whole = study.run_alone(Seed(3), &Device::Cpu).unwrap();
                assert_eq!(whole.series["train_loss"], of_plain.series["train_loss"], "{norm}");
                assert_eq!(whole.values[FINAL_LOSS], of_plain.values[FINAL_LOSS], "{norm}");
            }
        }
    }

    #[test]
    fn everything_that_is_promised_is_there() {
        for norm in ["none", "batch"] {
            for study in [of_classifier(norm), of_deep_linear(norm)] {
                let trace = study.run_alone(Seed(0), &Device::Cpu).unwrap();
                for name in [
                    "input_mean_change",
                    "output_variance_change",
                    "shift_difference_layer_2",
                    "shift_cosine_layer_3",
                    "shift_relative_layer_3",
                    "gradient_loss_range",
                    "random_change_high",
                    "gradient_beta",
                    "gradient_curvature",
                    "gradient_norm",
                ] {
                    assert_eq!(trace.series[name].x, [0.0, 2.0, 4.0, 6.0, 8.0], "{name}");
                    assert!(trace.values[name].is_finite());
                }
                let beta = &trace.grids["gradient_beta_by_distance"];
                assert_eq!((beta.x.len(), beta.y.len(), beta.z.len()), (5, 2, 10));
                for look in 0..5 {
                    let larger = beta.z[look].max(beta.z[5 + look]);
                    assert!((larger / trace.series["gradient_beta"].y[look] - 1.0).abs() < 1e-9);
                }
                assert_eq!(trace.series["gradient_level_beta"].x, trace.series["level_step"].x);
                let density = &trace.grids["histogram_layer_1"];
                assert_eq!(density.z.len(), density.x.len() * bins().len());
                let is_classifier = matches!(study.subject, Subject::Classifier(_));
                assert_eq!(trace.series.contains_key(TRAIN_ACCURACY), is_classifier);
            }
        }
    }

    /// Between a look and the step after it, too, and before a level and behind it.
    #[test]
    fn a_study_goes_on_where_it_was_ended() {
        for norm in ["none", "batch"] {
            for study in [of_classifier(norm), of_deep_linear(norm)] {
                let whole = study.run_alone(Seed(3), &Device::Cpu).unwrap();
                for at in 1..10 {
                    assert!(ended_and_resumed(&study, Seed(3), at) == whole, "{norm}, ended at step {at}");
                }
            }
        }
    }
}
