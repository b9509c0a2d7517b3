//! A4. One function: batch, layer, instance and group normalization take mean and variance over different sets of
//! values and are the same in everything else. Write the sets, then one function for the statistics, then see by
//! computing what each of the four does not notice.
//!
//! A batch of images is one slice of `n · c · h · w` values in the order `[N, C, H, W]`: the value of example i,
//! channel k, row y and column x is at `((i · c + k) · h + y) · w + x`.

mod invariance;
mod statistics;

pub use invariance::{Change, Probe, invariances};
pub use statistics::{Statistics, normalize, statistics};

/// The shape of a batch `[N, C, H, W]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Examples.
    pub n: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl Shape {
    /// Values in all.
    pub fn len(self) -> usize {
        self.n * self.channels * self.plane()
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Values of one channel of one example, which stand next to each other.
    pub fn plane(self) -> usize {
        self.height * self.width
    }
}

/// A normalization, named for what shares a mean and a variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// A channel, in all examples and places: Ioffe & Szegedy 2015 (arXiv:1502.03167), §3.2.
    Batch,
    /// An example, all its channels and places: Ba, Kiros & Hinton 2016 (arXiv:1607.06450), eq. 3.
    Layer,
    /// A channel of an example, in all places: Ulyanov, Vedaldi & Lempitsky 2016 (arXiv:1607.08022), eq. 7.
    Instance,
    /// A group of an example: so many groups of neighbouring channels, all of one size, in all places: Wu & He 2018
    /// (arXiv:1803.08494), eq. 7. The number divides the number of channels.
    Group(usize),
}

impl Norm {
    /// How many sets there are, each with a mean and a variance of its own.
    pub fn sets(self, shape: Shape) -> usize {
        match self {
            Self::Batch => shape.channels,
            Self::Layer => shape.n,
            Self::Instance => shape.n * shape.channels,
            Self::Group(groups) => shape.n * groups,
        }
    }

    /// The number, from 0 to `sets(shape)` without its end, of the set to which channel `channel` of example `example`
    /// belongs.
    ///
    /// Sets are numbered by example first and then by channel or by group. Wu & He's eq. 7: with G groups of C/G
    /// channels, two channels k and l of an example are in the same group if ⌊k / (C/G)⌋ = ⌊l / (C/G)⌋.
    pub fn set_of(self, shape: Shape, example: usize, channel: usize) -> usize {
        // SOLUTION the set's number for each of the four norms
        match self {
            Self::Batch => channel,
            Self::Layer => example,
            Self::Instance => example * shape.channels + channel,
            Self::Group(groups) => example * groups + channel / (shape.channels / groups),
        }
        // END
    }
}
