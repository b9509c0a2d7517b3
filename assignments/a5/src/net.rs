//! A small net with all that makes measuring difficult: batch normalization with running statistics, and dropout with a
//! stream of random numbers. It is given, and right; there is nothing to write here.

/// A stream of random numbers (SplitMix64). The same state gives the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    pub state: u64,
}

impl Stream {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.uniform() * end as f64) as usize
    }
}

/// Examples: `inputs [m, d]` row by row, `targets [m]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub inputs: Vec<f64>,
    pub targets: Vec<f64>,
}

impl Batch {
    /// A batch of `size` of these examples, drawn with replacement: takes numbers from the stream.
    pub fn draw(&self, size: usize, stream: &mut Stream) -> Self {
        let (examples, columns) = (self.targets.len(), self.inputs.len() / self.targets.len());
        let chosen: Vec<usize> = (0..size).map(|_| stream.below(examples)).collect();
        let row = |index: usize| self.inputs[index * columns..(index + 1) * columns].iter().copied();
        let inputs = chosen.iter().flat_map(|index| row(*index)).collect();
        Self { inputs, targets: chosen.iter().map(|index| self.targets[*index]).collect() }
    }
}

/// A loss and its gradient over all parameters, in the order of `Net::parameters`.
#[derive(Clone, Debug, PartialEq)]
pub struct Slope {
    pub loss: f64,
    pub gradient: Vec<f64>,
}

// ANCHOR: net
/// `x [m, d] → x W [m, h] → batch normalization → tanh → dropout → · v`, a number for each example.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// h.
    pub hidden: usize,
    /// W `[d, h]` row by row, γ `[h]`, β `[h]`, v `[h]`, one after the other.
    pub parameters: Vec<f64>,
    /// `[h]` each. They play no part in training mode, but each `slope` moves them.
    pub running_mean: Vec<f64>,
    pub running_variance: Vec<f64>,
    /// The weight of the new batch in the running statistics.
    pub momentum: f64,
    /// The probability that a hidden value is dropped.
    pub drop: f64,
    /// Where dropout and `Batch::draw` take their numbers from.
    pub stream: Stream,
}
// ANCHOR_END: net

const EPSILON: f64 = 1e-5;

impl Net {
    /// The loss 1/(2m) Σ (output − target)² of a batch of m examples in training mode, and its gradient: what a
    /// training step needs, with all that it does besides. It takes m · h numbers from the stream for dropout, and the
    /// running statistics move towards the batch's.
    pub fn slope(&mut self, batch: &Batch) -> Slope {
        let (h, m) = (self.hidden, batch.targets.len());
        let d = batch.inputs.len() / m;
        let (weights, rest) = self.parameters.split_at(d * h);
        let (gain, bias, readout) = (&rest[..h], &rest[h..2 * h], &rest[2 * h..]);
        let x = |row: usize, input: usize| batch.inputs[row * d + input];
        let mut normalized = vec![0.0; m * h];
        let mut deviations = vec![0.0; h];
        for unit in 0..h {
            let sum = |row: usize| (0..d).map(|input| x(row, input) * weights[input * h + unit]).sum::<f64>();
            let summed: Vec<f64> = (0..m).map(sum).collect();
            let mean = summed.iter().sum::<f64>() / m as f64;
            let variance = summed.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / m as f64;
            deviations[unit] = (variance + EPSILON).sqrt();
            for (row, a) in summed.iter().enumerate() {
                normalized[row * h + unit] = (a - mean) / deviations[unit];
            }
            self.running_mean[unit] += self.momentum * (mean - self.running_mean[unit]);
            self.running_variance[unit] += self.momentum * (variance - self.running_variance[unit]);
        }
        let kept = 1.0 / (1.0 - self.drop);
        let mask: Vec<f64> = (0..m * h).map(|_| if self.stream.uniform() < self.drop { 0.0 } else { kept }).collect();
        let at = |index: usize| (gain[index % h] * normalized[index] + bias[index % h]).tanh();
        let active: Vec<f64> = (0..m * h).map(at).collect();
        let mut loss = 0.0;
        // ∂L/∂y behind γ and β, `[m, h]`.
        let mut upstream = vec![0.0; m * h];
        let mut gradient = vec![0.0; self.parameters.len()];
        for row in 0..m {
            let unit_sum = |unit: usize| active[row * h + unit] * mask[row * h + unit] * readout[unit];
            let error = (0..h).map(unit_sum).sum::<f64>() - batch.targets[row];
            loss += error.powi(2) / (2 * m) as f64;
            for unit in 0..h {
                let (index, error) = (row * h + unit, error / m as f64);
                upstream[index] = error * readout[unit] * mask[index] * (1.0 - active[index].powi(2));
                gradient[(d + 2) * h + unit] += error * active[index] * mask[index];
                gradient[d * h + unit] += upstream[index] * normalized[index];
                gradient[(d + 1) * h + unit] += upstream[index];
            }
        }
        for index in 0..m * h {
            let (row, unit) = (index / h, index % h);
            let (through_variance, through_mean) = (gradient[d * h + unit], gradient[(d + 1) * h + unit]);
            let centred = upstream[index] - (through_mean + normalized[index] * through_variance) / m as f64;
            for input in 0..d {
                gradient[input * h + unit] += gain[unit] / deviations[unit] * centred * x(row, input);
            }
        }
        Slope { loss, gradient }
    }
}

// ANCHOR: train
/// A training that nobody looks at: `steps` times a batch of `size` examples, its slope and a step W ← W − η g.
pub fn train_unmeasured(net: &mut Net, data: &Batch, size: usize, rate: f64, steps: usize) {
    for _ in 0..steps {
        let batch = data.draw(size, &mut net.stream);
        let slope = net.slope(&batch);
        for (parameter, g) in net.parameters.iter_mut().zip(&slope.gradient) {
            *parameter -= rate * g;
        }
    }
}
// ANCHOR_END: train

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradient_agrees_with_central_differences() {
        let mut stream = Stream { state: 7 };
        let mut numbers = |count: usize| (0..count).map(|_| 4.0 * stream.uniform() - 2.0).collect::<Vec<f64>>();
        let batch = Batch { inputs: numbers(15), targets: numbers(5) };
        let net = Net {
            hidden: 4,
            parameters: numbers(24),
            running_mean: vec![0.0; 4],
            running_variance: vec![1.0; 4],
            momentum: 0.1,
            drop: 0.3,
            stream: Stream { state: 1 },
        };
        let gradient = net.clone().slope(&batch).gradient;
        for (index, expected) in gradient.iter().enumerate() {
            let loss_at = |step: f64| {
                let mut net = net.clone();
                net.parameters[index] += step;
                net.slope(&batch).loss
            };
            let difference = (loss_at(1e-5) - loss_at(-1e-5)) / 2e-5;
            assert!((difference - expected).abs() < 1e-8, "{index}: {difference} {expected}");
        }
    }
}
