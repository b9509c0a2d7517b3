//! What chapter 16 wants to know of a classifier's training: the landscape along the gradient on the way, and how far
//! evaluation is from training at the end.

use super::probe_schedule::{ProbeSchedule, Probes};
use super::train_eval::{LOGIT_GAP, gaps};
use crate::train::classifier::{Classifier, TrainOptions};
use candle_core::Result;
use normbook_lab::trial::{Outcome, RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial. Its training is that of the classifier alone, to the bit.
#[derive(Clone, Serialize)]
pub struct NormProfile {
    pub training: Classifier,
    pub probes: Probes,
}

impl Trial for NormProfile {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides what the classifier leaves: the series and values of [`super::probed_training`], and of the trained net
    /// the gaps of [`super::train_eval`]; one that diverged has a gap of 1, as large as what it gives.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let Classifier { steps, learning_rate, batch_size, .. } = self.training;
        let looks = ProbeSchedule::new(&self.probes, steps, learning_rate, batch_size);
        let mut seen = looks.nothing_seen();
        let mut trace = self.training.train(TrainOptions::default(), context, &mut seen, |seen, snapshot, trace| {
            looks.see(seen, snapshot)?;
            if snapshot.step == steps {
                trace.values.extend(gaps(&self.training, None, snapshot)?);
            }
            Ok(())
        })?;
        seen.finish(&mut trace);
        if trace.outcome != Outcome::Finished {
            trace.values.insert(LOGIT_GAP.into(), 1.0);
        }
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::NormKind;
    use crate::testing::classifier;
    use crate::train::accuracy::TEST_ACCURACY;
    use candle_core::Device;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::ended_and_resumed;

    fn portrait(norm: NormKind) -> NormProfile {
        let mut training = classifier(norm);
        (training.batch_size, training.steps) = (16, 10);
        NormProfile {
            training,
            probes: Probes { looks: 2, examples: 30, multiples: vec![0.5, 2.0], ..Probes::default() },
        }
    }

    #[test]
    fn who_looks_changes_nothing() {
        let portrait = portrait(NormKind::BATCH);
        let plain = portrait.training.run_alone(Seed(0), &Device::Cpu).unwrap();
        let looked = portrait.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert_eq!(plain.values[TEST_ACCURACY], looked.values[TEST_ACCURACY]);
        assert!(plain.series.iter().all(|(name, series)| looked.series[name] == *series));
    }

    #[test]
    fn it_sees_the_landscape_and_the_gap() {
        let values = |norm| portrait(norm).run_alone(Seed(0), &Device::Cpu).unwrap().values;
        let (batch, none) = (values(NormKind::BATCH), values(NormKind::None));
        assert!(batch["gradient_beta"] > 0.0 && none["gradient_beta"] > 0.0);
        assert!(batch[LOGIT_GAP] > 0.0 && none[LOGIT_GAP] == 0.0);
    }

    #[test]
    fn a_diverged_net_has_nothing_in_common_with_itself() {
        let mut portrait = portrait(NormKind::None);
        portrait.training.learning_rate = 1e20;
        let trace = portrait.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert_ne!(trace.outcome, Outcome::Finished);
        assert_eq!(trace.values[LOGIT_GAP], 1.0);
    }

    #[test]
    fn it_goes_on_where_it_was_ended() {
        let portrait = portrait(NormKind::BATCH);
        let whole = portrait.run_alone(Seed(0), &Device::Cpu).unwrap();
        for at in [5, 6] {
            assert!(ended_and_resumed(&portrait, Seed(0), at) == whole);
        }
    }
}
