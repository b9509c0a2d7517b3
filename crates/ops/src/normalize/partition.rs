//! The division of `[N, C, ..]` into sets of values that share their statistics.

use super::config::Axes;
use crate::kernel::VALUES_PER_TASK;

/// `[N, C, ..]` as planes, the values of one channel in one example; each set as some of the planes; and chunks of
/// neighboring planes that hold whole sets: an example where each set lies in one, else the batch. Kernels go through a
/// chunk in the order of the memory.
pub struct Partition {
    pub channels: usize,
    /// Number of values of a plane.
    pub plane: usize,
    pub planes_per_set: usize,
    pub planes_per_chunk: usize,
    axes: Axes,
}

impl Partition {
    /// Divides an input of dimensions `dims`.
    pub fn new(dims: &[usize], axes: Axes) -> Self {
        let (examples, channels) = (dims[0], dims[1]);
        let plane = dims[2..].iter().product();
        let (planes_per_set, planes_per_chunk) = match axes {
            Axes::Batch => (examples, examples * channels),
            Axes::Groups(groups) => (channels / groups, channels),
        };
        Self { channels, plane, planes_per_set, planes_per_chunk, axes }
    }

    /// Returns the number of values of a set.
    pub fn values_per_set(&self) -> usize {
        self.planes_per_set * self.plane
    }

    /// Returns the number of values of a chunk.
    pub fn values_per_chunk(&self) -> usize {
        self.planes_per_chunk * self.plane
    }

    pub fn sets_per_chunk(&self) -> usize {
        self.planes_per_chunk / self.planes_per_set
    }

    /// Returns the set that a plane of a chunk belongs to; both are counted within the chunk.
    pub fn set_of(&self, plane: usize) -> usize {
        match self.axes {
            Axes::Batch => plane % self.channels,
            Axes::Groups(_) => plane / self.planes_per_set,
        }
    }

    /// Returns the channel of a plane of a chunk.
    pub fn channel_of(&self, plane: usize) -> usize {
        plane % self.channels
    }

    /// Returns the number of planes that are worth a parallel task.
    pub fn planes_per_task(&self) -> usize {
        VALUES_PER_TASK.div_ceil(self.plane)
    }

    /// Returns the number of chunks that are worth a parallel task.
    pub fn chunks_per_task(&self) -> usize {
        VALUES_PER_TASK.div_ceil(self.values_per_chunk())
    }
}
