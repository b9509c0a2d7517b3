//! Which examples make up which batch, and which of them go through the net together.

use candle_core::{Result, bail};
use normbook_lab::seed::{Purpose, Seed};
use serde::Serialize;

/// A batch that goes through the net in parts, each normalized by itself, whose gradients are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Microbatches {
    /// Examples of a part.
    pub size: usize,
    /// How many classes the examples of a part are of, as many of each; none: they come as they are drawn.
    pub classes: Option<usize>,
}

/// The batches of a trial.
pub struct Batches {
    seed: Seed,
    size: usize,
    draw: Draw,
}

enum Draw {
    /// Each epoch all examples in a new random order. What is left of an epoch that does not fill a batch is left out.
    Epochs { examples: usize, epoch: u64, order: Vec<usize> },
    /// For each part some classes, and of each of them some examples.
    Classes { members: Vec<Vec<usize>>, classes: usize, part: usize },
}

impl Batches {
    /// Of all examples; `size` is at most their number.
    pub fn new(seed: Seed, examples: usize, size: usize) -> Self {
        let draw = Draw::Epochs { examples, epoch: 0, order: order(seed, 0, examples) };
        Self { seed, size: size.min(examples), draw }
    }

    /// Of examples of these classes, in parts if any. A batch has at most as many examples as there are. Errors if
    /// parts do not fill it, or classes not a part.
    pub fn in_parts(seed: Seed, labels: &[u32], size: usize, parts: Option<Microbatches>) -> Result<Self> {
        let whole = Self::new(seed, labels.len(), size);
        let Some(Microbatches { size: part, classes }) = parts else { return Ok(whole) };
        let size = whole.size;
        if part == 0 || !size.is_multiple_of(part) {
            bail!("microbatches of {part} examples do not fill a batch of {size}, of {} examples in all", labels.len());
        }
        let Some(classes) = classes else { return Ok(whole) };
        let kinds = labels.iter().max().map_or(0, |last| *last as usize + 1);
        let mut members = vec![Vec::new(); kinds];
        for (example, label) in labels.iter().enumerate() {
            members[*label as usize].push(example);
        }
        if classes == 0 || classes > kinds || !part.is_multiple_of(classes) {
            bail!("{classes} of {kinds} classes, as many examples of each, do not fill a microbatch of {part}");
        }
        if let Some(class) = members.iter().position(|members| members.len() < part / classes) {
            bail!("class {class} has {} examples, a microbatch needs {}", members[class].len(), part / classes);
        }
        Ok(Self { seed, size, draw: Draw::Classes { members, classes, part } })
    }

    /// The examples of a step, counted from 0; part by part if there are any.
    pub fn at(&mut self, step: u64) -> Vec<usize> {
        match &mut self.draw {
            Draw::Epochs { examples, epoch, order: current } => {
                let per_epoch = (*examples / self.size) as u64;
                if step / per_epoch != *epoch {
                    *epoch = step / per_epoch;
                    *current = order(self.seed, *epoch, *examples);
                }
                let start = (step % per_epoch) as usize * self.size;
                current[start..start + self.size].to_vec()
            }
            Draw::Classes { members, classes, part } => {
                let stream = &mut self.seed.stream(Purpose::DataOrder, step);
                let mut chosen = Vec::with_capacity(self.size);
                while chosen.len() < self.size {
                    for class in &stream.permutation(members.len())[..*classes] {
                        let members = &members[*class];
                        let drawn = stream.permutation(members.len());
                        chosen.extend(drawn[..*part / *classes].iter().map(|index| members[*index]));
                    }
                }
                chosen
            }
        }
    }
}

fn order(seed: Seed, epoch: u64, examples: usize) -> Vec<usize> {
    seed.stream(Purpose::DataOrder, epoch).permutation(examples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_sees_each_example_once() {
        let mut batches = Batches::new(Seed(0), 10, 5);
        let mut epoch = |first: u64| [batches.at(first), batches.at(first + 1)].concat();
        let (first, second) = (epoch(0), epoch(2));
        assert_ne!(first, second);
        for mut order in [first, second] {
            order.sort_unstable();
            assert_eq!(order, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_step_has_the_same_batch_again() {
        let mut batches = Batches::new(Seed(3), 10, 4);
        let third = batches.at(2);
        batches.at(0);
        assert_eq!(batches.at(2), third);
        assert_eq!(Batches::new(Seed(3), 3, 8).at(0).len(), 3);
    }

    /// Four classes of five examples.
    fn labels() -> Vec<u32> {
        (0..20).map(|example| example % 4).collect()
    }

    #[test]
    fn a_part_is_of_few_classes_and_no_example_is_in_it_twice() {
        let parts = Some(Microbatches { size: 6, classes: Some(2) });
        let mut batches = Batches::in_parts(Seed(0), &labels(), 12, parts).unwrap();
        for step in 0..20 {
            for part in batches.at(step).chunks(6) {
                let mut classes: Vec<usize> = part.iter().map(|example| example % 4).collect();
                classes.sort_unstable();
                assert!(classes[0] == classes[2] && classes[2] != classes[3] && classes[3] == classes[5]);
                let mut examples = part.to_vec();
                examples.sort_unstable();
                examples.dedup();
                assert_eq!(examples.len(), 6);
            }
        }
        assert_ne!(batches.at(0), batches.at(1));
    }

    #[test]
    fn a_step_has_the_same_classes_again() {
        let batch = |seed: u64, steps: &[u64]| {
            let parts = Some(Microbatches { size: 6, classes: Some(2) });
            let mut batches = Batches::in_parts(Seed(seed), &labels(), 12, parts).unwrap();
            steps.iter().map(|step| batches.at(*step)).next_back().unwrap()
        };
        assert_eq!(batch(3, &[0, 1, 2, 9, 5]), batch(3, &[5]));
        assert_ne!(batch(3, &[5]), batch(4, &[5]));
    }

    #[test]
    fn parts_without_classes_are_drawn_like_whole_batches() {
        let parts = Some(Microbatches { size: 2, classes: None });
        let seventh = Batches::new(Seed(0), 20, 4).at(7);
        for parts in [parts, None] {
            assert_eq!(Batches::in_parts(Seed(0), &labels(), 4, parts).unwrap().at(7), seventh);
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |size, part, classes| {
            let parts = Some(Microbatches { size: part, classes });
            Batches::in_parts(Seed(0), &labels(), size, parts).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(error(12, 5, None).contains("microbatches of 5 examples do not fill a batch of 12"));
        assert!(error(24, 6, None).contains("of 6 examples do not fill a batch of 20, of 20 examples in all"));
        assert!(error(12, 6, Some(4)).contains("4 of 4 classes"));
        assert!(error(12, 6, Some(5)).contains("5 of 4 classes"));
        assert!(error(12, 12, Some(2)).contains("class 0 has 5 examples, a microbatch needs 6"));
    }
}
