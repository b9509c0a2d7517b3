//! What a norm does not notice: the table of Ba, Kiros & Hinton 2016 (arXiv:1607.06450), §5.1, for these four norms.

use crate::{Norm, Shape, normalize};

/// A change of the inputs or of the weights, a column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// All values of the first example times the factor.
    OneExampleScaled,
    /// The shift added to all values of the first example.
    OneExampleShifted,
    /// All values of all examples times the factor.
    DataScaled,
    /// The shift added to all values of all examples.
    DataShifted,
    /// The weights of the first output channel, row 0 of W, times the factor.
    OneChannelsWeightsScaled,
    /// All weights of the layer times the factor.
    WeightsScaled,
    /// The same vector, `Probe::row`, added to every row of W.
    WeightsRecentred,
}

impl Change {
    /// The columns of the table, in their order.
    pub const ALL: [Self; 7] = [
        Self::OneExampleScaled,
        Self::OneExampleShifted,
        Self::DataScaled,
        Self::DataShifted,
        Self::OneChannelsWeightsScaled,
        Self::WeightsScaled,
        Self::WeightsRecentred,
    ];
}

/// A layer to be probed: a 1 × 1 convolution from `inputs.channels` to `outputs` channels, whose output is normalized.
#[derive(Clone, Debug)]
pub struct Probe {
    /// x, `[N, C, H, W]`, and its shape.
    pub x: Vec<f64>,
    pub inputs: Shape,
    /// W, `[outputs, C]`, row by row: row k holds the weights of output channel k.
    pub weights: Vec<f64>,
    pub outputs: usize,
    /// Positive, and not 1.
    pub factor: f64,
    pub shift: f64,
    /// `[C]`.
    pub row: Vec<f64>,
}

impl Probe {
    /// The shape of what is normalized: `[N, outputs, H, W]`.
    pub fn shape(&self) -> Shape {
        Shape { channels: self.outputs, ..self.inputs }
    }

    /// What the norm is given: a of shape `[N, outputs, H, W]`, a[n, k, h, w] = Σ_c W[k, c] · x[n, c, h, w]. This is
    /// written for you.
    pub fn summed(&self) -> Vec<f64> {
        let (shape, plane, channels) = (self.shape(), self.inputs.plane(), self.inputs.channels);
        let mut summed = vec![0.0; shape.len()];
        for (index, sum) in summed.iter_mut().enumerate() {
            let (example, output, place) = (index / plane / self.outputs, index / plane % self.outputs, index % plane);
            let row = &self.weights[output * channels..(output + 1) * channels];
            *sum = (0..channels).map(|c| row[c] * self.x[(example * channels + c) * plane + place]).sum();
        }
        summed
    }

    /// The layer after a change: `x` or `weights` are others, all else is as it was.
    pub fn changed(&self, change: Change) -> Self {
        // SOLUTION a clone of the layer with other `x` or other `weights`
        let mut probe = self.clone();
        let (example, channels) = (self.x.len() / self.inputs.n, self.inputs.channels);
        match change {
            Change::OneExampleScaled => probe.x[..example].iter_mut().for_each(|x| *x *= self.factor),
            Change::OneExampleShifted => probe.x[..example].iter_mut().for_each(|x| *x += self.shift),
            Change::DataScaled => probe.x.iter_mut().for_each(|x| *x *= self.factor),
            Change::DataShifted => probe.x.iter_mut().for_each(|x| *x += self.shift),
            Change::OneChannelsWeightsScaled => probe.weights[..channels].iter_mut().for_each(|w| *w *= self.factor),
            Change::WeightsScaled => probe.weights.iter_mut().for_each(|w| *w *= self.factor),
            Change::WeightsRecentred => {
                probe.weights.iter_mut().enumerate().for_each(|(index, w)| *w += self.row[index % channels]);
            }
        }
        probe
        // END
    }

    /// What comes out of the norm, with γ = 1 and β = 0.
    pub fn normalized(&self, norm: Norm) -> Vec<f64> {
        // SOLUTION normalize what the layer sums up, with the ε below
        let (gain, bias) = (vec![1.0; self.outputs], vec![0.0; self.outputs]);
        normalize(&self.summed(), self.shape(), norm, &gain, &bias, EPSILON)
        // END
    }
}

/// ε of the table: so small that it hides no invariance, and enough for a set of one value, whose variance is 0.
pub const EPSILON: f64 = 1e-12;

/// The largest difference of two outputs that counts as none. Rounding gives differences of about 1e-15, a real
/// change some hundredths or more.
pub const TOLERANCE: f64 = 1e-6;

/// The table: a row for each norm, a column for each of `Change::ALL`; 1 if no value of the normalized output moves by
/// more than
/// `TOLERANCE`, 0 if one does. By computing the output before and after; what holds depends on the shape.
pub fn invariances(probe: &Probe, norms: &[Norm]) -> Vec<[u8; 7]> {
    // SOLUTION for each norm and each change compare the output before with the output after
    let cell = |norm: Norm, change: Change| {
        let (before, after) = (probe.normalized(norm), probe.changed(change).normalized(norm));
        u8::from(before.iter().zip(&after).all(|(before, after)| (before - after).abs() <= TOLERANCE))
    };
    norms.iter().map(|norm| Change::ALL.map(|change| cell(*norm, change))).collect()
    // END
}
