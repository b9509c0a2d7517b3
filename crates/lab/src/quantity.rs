//! A number of each seed, stated before the run and computed from its trials afterwards.

use crate::trial::{StepsToTarget, Trace};
use crate::trials::Trials;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::ops::{Div, Mul, Sub};
use std::sync::Arc;

/// One seed's number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub value: f64,
    /// Whether the true number is at least this one: a run above the fraction line did not reach its target.
    pub is_lower_bound: bool,
    /// Whether the true number is at most this one: a run below the fraction line did not reach its target.
    pub is_upper_bound: bool,
}

type Compute = dyn Fn(&Trials) -> Result<Vec<Option<Sample>>> + Send + Sync;

/// An expression over the trials of some arms. `-`, `/` and `*` combine two quantities seed by seed; a quantity of an
/// exact arm, which has a single number, goes with every seed.
#[derive(Clone)]
pub struct Quantity {
    formula: String,
    is_compound: bool,
    arms: BTreeSet<String>,
    compute: Arc<Compute>,
}

/// The value `name` of every seed of an arm. Computing it errors where a seed has none, as a diverged run may.
pub fn value(arm: impl Into<String>, name: impl Into<String>) -> Quantity {
    let (arm, name) = (arm.into(), name.into());
    Quantity::new(format!("{name} of {arm}"), [arm.clone()], move |trials| {
        Ok(trials.samples(&arm, &name)?.into_iter().map(|value| Some(Sample::exactly(value))).collect())
    })
}

/// The steps in which every seed of an arm reached its target: at least the budget if it did not.
pub fn steps(arm: impl Into<String>) -> Quantity {
    let arm = arm.into();
    Quantity::new(format!("steps of {arm}"), [arm.clone()], move |trials| {
        Ok(trials.steps(&arm)?.into_iter().map(|steps| Some(Sample::of_steps(steps))).collect())
    })
}

/// Steps that `read` finds in the trace of every seed of an arm; `what` says which.
pub fn steps_read(
    arm: impl Into<String>,
    what: &str,
    read: impl Fn(&Trace) -> StepsToTarget + Send + Sync + 'static,
) -> Quantity {
    let arm = arm.into();
    Quantity::new(format!("{what} of {arm}"), [arm.clone()], move |trials| {
        Ok(trials.traces(&arm)?.into_iter().map(|trace| Some(Sample::of_steps(read(trace)))).collect())
    })
}

/// What `read` finds in the trace of every seed of an arm; `what` says it in words. A seed in which it finds nothing is
/// left out.
pub fn reading(
    arm: impl Into<String>,
    what: impl Into<String>,
    read: impl Fn(&Trace) -> Option<f64> + Send + Sync + 'static,
) -> Quantity {
    across(&[arm.into()], what, move |traces| read(traces[0]))
}

/// What `read` finds in the traces that one seed has in several arms, in their order.
pub fn across(
    arms: &[String],
    what: impl Into<String>,
    read: impl Fn(&[&Trace]) -> Option<f64> + Send + Sync + 'static,
) -> Quantity {
    let arms = arms.to_vec();
    Quantity::new(format!("{} of {}", what.into(), arms.join(", ")), arms.clone(), move |trials| {
        let traces = arms.iter().map(|arm| trials.traces(arm)).collect::<Result<Vec<_>>>()?;
        let seeds = traces.iter().map(Vec::len).min().unwrap_or(0);
        let of_seed = |seed: usize| read(&traces.iter().map(|of_arm| of_arm[seed]).collect::<Vec<_>>());
        Ok((0..seeds).map(|seed| of_seed(seed).map(Sample::exactly)).collect())
    })
}

impl Quantity {
    fn new(
        formula: String,
        arms: impl IntoIterator<Item = String>,
        compute: impl Fn(&Trials) -> Result<Vec<Option<Sample>>> + Send + Sync + 'static,
    ) -> Self {
        Self { formula, is_compound: false, arms: arms.into_iter().collect(), compute: Arc::new(compute) }
    }

    /// Says how it is computed: `test_accuracy of group 2 − test_accuracy of batch 2`.
    pub fn formula(&self) -> &str {
        &self.formula
    }

    /// The arms whose trials it reads.
    pub fn arms(&self) -> &BTreeSet<String> {
        &self.arms
    }

    /// Computes the number of each seed; seeds in which a reading finds nothing are left out.
    pub fn samples(&self, trials: &Trials) -> Result<Vec<Sample>> {
        Ok((self.compute)(trials)?.into_iter().flatten().collect())
    }

    fn in_a_formula(&self) -> String {
        if self.is_compound { format!("({})", self.formula) } else { self.formula.clone() }
    }

    fn combine(self, sign: &str, other: Self, of: fn(Sample, Sample) -> Sample) -> Self {
        let formula = format!("{} {sign} {}", self.in_a_formula(), other.in_a_formula());
        let arms = self.arms.union(&other.arms).cloned().collect();
        let (one, other) = (self.compute, other.compute);
        let compute = move |trials: &Trials| {
            let (one, other) = (one(trials)?, other(trials)?);
            let seeds = one.len().max(other.len());
            let fits = |samples: &Vec<_>| samples.len() == seeds || samples.len() == 1;
            ensure!(fits(&one) && fits(&other), "arms have {} and {} seeds to compare", one.len(), other.len());
            let at = |samples: &[Option<Sample>], seed: usize| samples[if samples.len() == 1 { 0 } else { seed }];
            Ok((0..seeds).map(|seed| Some(of(at(&one, seed)?, at(&other, seed)?))).collect())
        };
        Self { formula, is_compound: true, arms, compute: Arc::new(compute) }
    }

    fn map(self, formula: String, of: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        let compute = self.compute;
        let scaled = move |sample: Option<Sample>| sample.map(|sample| Sample { value: of(sample.value), ..sample });
        let compute = move |trials: &Trials| Ok(compute(trials)?.into_iter().map(&scaled).collect());
        Self { formula, is_compound: true, compute: Arc::new(compute), ..self }
    }
}

impl Sample {
    fn exactly(value: f64) -> Self {
        Self { value, is_lower_bound: false, is_upper_bound: false }
    }

    /// A network that starts at its target takes no step: half a step keeps ratios finite.
    fn of_steps(steps: StepsToTarget) -> Self {
        Self { value: steps.at_least().max(0.5), is_lower_bound: steps.step.is_none(), is_upper_bound: false }
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.combine("−", other, |one, other| Sample {
            value: one.value - other.value,
            is_lower_bound: one.is_lower_bound || other.is_upper_bound,
            is_upper_bound: one.is_upper_bound || other.is_lower_bound,
        })
    }
}

impl Div for Quantity {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        self.combine("/", other, |one, other| Sample {
            value: one.value / other.value,
            is_lower_bound: one.is_lower_bound || other.is_upper_bound,
            is_upper_bound: one.is_upper_bound || other.is_lower_bound,
        })
    }
}

impl Mul for Quantity {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.combine("·", other, |one, other| Sample {
            value: one.value * other.value,
            is_lower_bound: one.is_lower_bound || other.is_lower_bound,
            is_upper_bound: one.is_upper_bound || other.is_upper_bound,
        })
    }
}

impl Mul<f64> for Quantity {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        let formula = format!("{} · {factor}", self.in_a_formula());
        self.map(formula, move |value| value * factor)
    }
}

impl Div<f64> for Quantity {
    type Output = Self;

    fn div(self, divisor: f64) -> Self {
        let formula = format!("{} / {divisor}", self.in_a_formula());
        self.map(formula, move |value| value / divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn values(quantity: &Quantity, world: &World) -> Vec<f64> {
        quantity.samples(&world.trials()).unwrap().iter().map(|sample| sample.value).collect()
    }

    #[test]
    fn arithmetic_goes_seed_by_seed() {
        let world = World::new(2).values("a", "loss", &[6.0, 8.0]).values("b", "loss", &[2.0, 4.0]);
        let [a, b] = ["a", "b"].map(|arm| value(arm, "loss"));
        assert_eq!(values(&(a.clone() - b.clone()), &world), [4.0, 4.0]);
        assert_eq!(values(&(a.clone() / b.clone() * 0.5), &world), [1.5, 1.0]);
        let compound = a.clone() * b / a;
        assert_eq!(values(&compound, &world), [2.0, 4.0]);
        assert_eq!(compound.formula(), "(loss of a · loss of b) / loss of a");
        assert_eq!(compound.arms().iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn an_exact_arm_goes_with_every_seed() {
        let world = World::new(3).values("a", "loss", &[1.0, 2.0, 3.0]).exact("theory", "loss", 2.0);
        assert_eq!(values(&(value("a", "loss") / value("theory", "loss")), &world), [0.5, 1.0, 1.5]);
    }

    #[test]
    fn seeds_without_a_reading_are_left_out() {
        let world = World::new(3).values("a", "loss", &[1.0, 2.0, 3.0]);
        let large = reading("a", "large loss", |trace| trace.values.get("loss").copied().filter(|loss| *loss > 1.5));
        assert_eq!(values(&(large - value("a", "loss")), &world), [0.0, 0.0]);
    }

    #[test]
    fn censored_steps_bound_a_ratio() {
        let world = World::new(2).steps("slow", &[Some(90), None]).steps("fast", &[None, Some(0)]);
        let samples = (steps("slow") / steps("fast")).samples(&world.trials()).unwrap();
        let bounds: Vec<_> = samples.iter().map(|sample| (sample.is_lower_bound, sample.is_upper_bound)).collect();
        assert_eq!(bounds, [(false, true), (true, false)]);
        assert_eq!(samples[1].value, World::BUDGET as f64 / 0.5);
    }
}
