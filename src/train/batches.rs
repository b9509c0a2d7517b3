//! Which examples make up which batch: each epoch all of them in a new random order.

use crate::seed::{Purpose, Seed};

/// The batches of a trial. What is left of an epoch that does not fill a batch is left out.
pub struct Batches {
    seed: Seed,
    examples: usize,
    size: usize,
    epoch: u64,
    order: Vec<usize>,
}

impl Batches {
    /// `size` is at most `examples`.
    pub fn new(seed: Seed, examples: usize, size: usize) -> Self {
        let mut batches = Self { seed, examples, size: size.min(examples), epoch: 0, order: Vec::new() };
        batches.shuffle(0);
        batches
    }

    fn shuffle(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.order = self.seed.stream(Purpose::DataOrder, epoch).permutation(self.examples);
    }

    /// The examples of a step, counted from 0.
    pub fn at(&mut self, step: u64) -> &[usize] {
        let per_epoch = (self.examples / self.size) as u64;
        if step / per_epoch != self.epoch {
            self.shuffle(step / per_epoch);
        }
        let start = (step % per_epoch) as usize * self.size;
        &self.order[start..start + self.size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_sees_each_example_once() {
        let mut batches = Batches::new(Seed(0), 10, 5);
        let mut epoch = |first: u64| [batches.at(first).to_vec(), batches.at(first + 1).to_vec()].concat();
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
        let third = batches.at(2).to_vec();
        batches.at(0);
        assert_eq!(batches.at(2), third);
        assert_eq!(Batches::new(Seed(3), 3, 8).at(0).len(), 3);
    }
}
