//! What tests of chapters and trials need: trials that are ended on the way, and made-up worlds to judge claims in.

use crate::Chapter;
use crate::claim::{Claim, Measure, check};
use crate::judgement::judge;
use crate::record::Record;
use crate::seed::Seed;
use crate::trial::{Checkpoint, RunContext, StepsToTarget, TARGET, Trace, Trial};
use crate::trials::{TrialRecord, Trials};
use crate::verdict::{Rule, Verdict};
use crate::words::Words;
use candle_core::{Device, Result, bail};
use normbook_fingerprint::find_root;
use std::sync::Mutex;

/// Ends a trial before the step `at`, once its state is kept.
struct Ending {
    at: u64,
    state: Mutex<Option<Vec<u8>>>,
}

impl Checkpoint for Ending {
    fn last(&self) -> Option<Vec<u8>> {
        None
    }

    fn is_due(&self, step: u64, _: u64) -> bool {
        step == self.at
    }

    fn save(&self, state: &[u8]) -> Result<()> {
        *self.state.lock().unwrap() = Some(state.to_vec());
        bail!("ended")
    }
}

/// Has a state, and notes the steps that it is told of.
struct GoingOn {
    state: Vec<u8>,
    steps: Mutex<Vec<u64>>,
}

impl Checkpoint for GoingOn {
    fn last(&self) -> Option<Vec<u8>> {
        Some(self.state.clone())
    }

    fn is_due(&self, step: u64, _: u64) -> bool {
        self.steps.lock().unwrap().push(step);
        false
    }

    fn save(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// The trace of a trial that is ended before the step `at` and goes on in another process: with nothing but what was
/// kept.
pub fn ended_and_resumed(trial: &impl Trial, seed: Seed, at: u64) -> Trace {
    let device = &Device::Cpu;
    let ending = Ending { at, state: Mutex::new(None) };
    let ended = trial.run(&RunContext { seed, device, checkpoint: &ending });
    assert!(ended.is_err(), "the trial was not to be ended at step {at}");
    let state = ending.state.into_inner().unwrap().unwrap();
    let going_on = GoingOn { state, steps: Mutex::new(Vec::new()) };
    let trace = trial.run(&RunContext { seed, device, checkpoint: &going_on }).unwrap();
    assert!(going_on.steps.into_inner().unwrap().iter().all(|step| *step >= at), "it begins again");
    trace
}

/// The trace of a trial that finds such bytes where its state would be.
pub fn resumed_from(trial: &impl Trial, seed: Seed, bytes: &[u8]) -> Trace {
    let going_on = GoingOn { state: bytes.to_vec(), steps: Mutex::new(Vec::new()) };
    trial.run(&RunContext { seed, device: &Device::Cpu, checkpoint: &going_on }).unwrap()
}

/// Trials that no run made, with what each arm is said to give.
#[derive(Clone, Debug)]
pub struct World {
    seeds: usize,
    trials: Trials,
}

impl World {
    /// The steps that a run has to reach its target.
    pub const BUDGET: u64 = 1_000_000;

    /// Makes a world without trials, whose seeded arms have so many seeds.
    pub fn new(seeds: usize) -> Self {
        Self { seeds, trials: Trials::default() }
    }

    /// Gives every seed of an arm the value, raised by a hundred-thousandth of it from seed to seed: real seeds differ,
    /// too.
    pub fn value(self, arm: &str, name: &str, value: f64) -> Self {
        let values: Vec<f64> = (0..self.seeds).map(|seed| value * (1.0 + 1e-5 * seed as f64)).collect();
        self.values(arm, name, &values)
    }

    /// Gives each seed of an arm its value.
    pub fn values(self, arm: &str, name: &str, values: &[f64]) -> Self {
        let mut values = values.iter();
        self.change(arm, |trace| {
            trace.values.insert(name.into(), *values.next().expect("a value for each seed"));
        })
    }

    /// Gives an exact arm, which has no seeds, the value.
    pub fn exact(mut self, arm: &str, name: &str, value: f64) -> Self {
        let is_arm = |trial: &&mut TrialRecord| trial.arm == arm;
        match self.trials.trials.iter_mut().find(is_arm) {
            Some(trial) => drop(trial.trace.values.insert(name.into(), value)),
            None => {
                let trace = Trace { values: [(name.to_owned(), value)].into(), ..Trace::default() };
                self.trials.trials.push(TrialRecord { arm: arm.into(), seed: None, trace });
            }
        }
        self
    }

    /// Lets each seed of an arm reach its target at a step, or not at all.
    pub fn steps(self, arm: &str, steps: &[Option<u64>]) -> Self {
        let mut steps = steps.iter();
        self.change(arm, |trace| {
            let step = *steps.next().expect("a step for each seed");
            trace.reached.insert(TARGET.into(), StepsToTarget { step, budget: Self::BUDGET });
        })
    }

    /// Changes the trace of every seed of an arm, which is made if it is not there.
    pub fn change(mut self, arm: &str, mut change: impl FnMut(&mut Trace)) -> Self {
        if !self.trials.trials.iter().any(|trial| trial.arm == arm) {
            let trial = |seed| TrialRecord { arm: arm.into(), seed: Some(seed as u64), trace: Trace::default() };
            self.trials.trials.extend((0..self.seeds).map(trial));
        }
        self.trials.trials.iter_mut().filter(|trial| trial.arm == arm).for_each(|trial| change(&mut trial.trace));
        self
    }

    /// The same world in which two arms have changed places.
    fn swapped(&self, one: &str, other: &str) -> Self {
        let mut swapped = self.clone();
        for trial in &mut swapped.trials.trials {
            if trial.arm == one {
                trial.arm = other.into();
            } else if trial.arm == other {
                trial.arm = one.into();
            }
        }
        swapped
    }

    pub fn trials(&self) -> Trials {
        self.trials.clone()
    }
}

/// Asserts that a world in which everything is as the chapter's sources say gives every claim the verdict *reproduced*,
/// and that no claim is blind to which arm is which: where arms of one measurement change places, each changes a
/// number, and a claim with a floor is lost.
pub fn assert_claims_follow(claims: &[Claim], words: &str, world: &World) {
    let words = Words::parse(words).unwrap();
    words.check(claims).unwrap();
    for claim in claims {
        let judged = |world: &World| judge(std::slice::from_ref(claim), &words, &world.trials(), true);
        let whole = judged(world).unwrap().remove(0);
        assert_eq!(whole.verdict, Verdict::Reproduced, "{}: {:?}", whole.id, whole.measurements);
        for (at, (condition, quantity)) in claim.measurements.iter().enumerate() {
            let arms: Vec<&String> = quantity.arms().iter().filter(|_| quantity.arms().len() > 1).collect();
            // A floor that equal arms reach ("no worse by more than …") may hold both ways.
            let equal = if claim.measure == Measure::Ratio { 1.0 } else { 0.0 };
            let must_be_lost = matches!(claim.rule, Rule::AtLeast { floor, .. } if floor > equal);
            let mut is_lost = arms.is_empty() || !must_be_lost;
            for arm in &arms {
                let mut is_seen = false;
                for other in arms.iter().filter(|other| other != &arm) {
                    // A world in which the claim cannot be judged tells, too.
                    let swapped = judged(&world.swapped(arm, other)).ok().map(|mut claims| claims.remove(0));
                    is_lost |= swapped.as_ref().is_none_or(|claim| claim.verdict != Verdict::Reproduced);
                    is_seen |= swapped.is_none_or(|claim| claim.measurements[at] != whole.measurements[at]);
                }
                assert!(is_seen, "{}, {condition}: {arm} may be any other arm, and no number would tell", claim.id);
            }
            assert!(is_lost, "{}, {condition}: the claim holds whichever arm is which", claim.id);
        }
    }
}

/// Asserts that the committed record of a chapter is what its claims and words of today say of the record's trials, and
/// that every claim reads arms that the protocol has.
pub fn assert_record_follows<C: Chapter>() {
    let root = find_root(env!("CARGO_MANIFEST_DIR")).unwrap();
    let record = Record::read(&root.join("figures").join(C::ID).join("record.json")).unwrap();
    let (claims, words) = (with_default_flags::<C>().claims(), Words::parse(C::WORDS).unwrap());
    words.check(&claims).unwrap();
    check(&claims, &record.arms.keys().map(String::as_str).collect()).unwrap();
    let judged = judge(&claims, &words, &record.trials, record.protocol.may_judge()).unwrap();
    for (now, then) in judged.iter().zip(&record.claims) {
        assert_eq!(now, then, "{}", C::ID);
    }
    assert_eq!(judged.len(), record.claims.len());
}

/// The chapter as it is without any flag.
pub fn with_default_flags<C: Chapter>() -> C {
    let matches = C::augment_args(clap::Command::new(C::ID)).get_matches_from([C::ID]);
    C::from_arg_matches(&matches).unwrap()
}
