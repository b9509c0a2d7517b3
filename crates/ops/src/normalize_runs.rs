//! How `[N, C, ..]` falls into the sets that [`normalize`](super::normalize) works on.

use super::normalize::Axes;

/// `[N, C, ..]` as runs, one for each channel of each example; each set as some of the runs; and blocks of neighbouring
/// runs that hold whole sets: an example where sets lie in one, else the batch. A block is walked through in the order
/// of the memory.
pub(super) struct Runs {
    channels: usize,
    /// Values of a run.
    pub length: usize,
    /// Runs of a set.
    pub of_set: usize,
    /// Runs of a block.
    pub of_block: usize,
    over: Axes,
}

/// Values that are worth a task of their own.
const TASK: usize = 1 << 15;

impl Runs {
    pub fn new(dims: &[usize], over: Axes) -> Self {
        let (examples, channels) = (dims[0], dims[1]);
        let length = dims[2..].iter().product();
        let (of_set, of_block) = match over {
            Axes::Batch => (examples, examples * channels),
            Axes::Groups(groups) => (channels / groups, channels),
        };
        Self { channels, length, of_set, of_block, over }
    }

    pub fn sets_of_block(&self) -> usize {
        self.of_block / self.of_set
    }

    /// The set of a block's run, counted within the block.
    pub fn set_in_block(&self, run: usize) -> usize {
        match self.over {
            Axes::Batch => run % self.channels,
            Axes::Groups(_) => run / self.of_set,
        }
    }

    /// The channel of a block's run.
    pub fn channel(&self, run: usize) -> usize {
        run % self.channels
    }

    /// Runs that are worth a task.
    pub fn of_task(&self) -> usize {
        TASK.div_ceil(self.length)
    }

    /// Blocks that are worth a task.
    pub fn blocks_of_task(&self) -> usize {
        TASK.div_ceil(self.of_block * self.length)
    }

    /// Values of a set.
    pub fn size(&self) -> f64 {
        (self.of_set * self.length) as f64
    }

    pub fn channels(&self) -> usize {
        self.channels
    }
}
