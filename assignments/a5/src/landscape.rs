//! What Santurkar et al. measure at a step of the training, with the step's own batch: at the parameters W with
//! gradient g = ∇L(W), walk to W − η′ g for several η′ and look at the loss there and at the gradient there, g′ = ∇L(W
//! − η′ g).

use crate::{Batch, Net, Slope};

/// ‖v‖, the Euclidean length √(Σ vᵢ²).
pub fn length(vector: &[f64]) -> f64 {
    // SOLUTION the root of the sum of squares
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
    // END
}

/// ‖a − b‖, of two vectors with equally many entries.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    // SOLUTION the length of the difference
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    // END
}

/// Loss and gradient of the batch at the net's parameters, as `Net::slope` gives them, without a trace: afterwards the
/// parameters, the running statistics and the stream are what they were, bit for bit.
///
/// So two calls in a row drop the same units and give the same numbers.
pub fn quiet_slope(net: &mut Net, batch: &Batch) -> Slope {
    // SOLUTION keep what Net::slope changes, and put it back
    let kept = (net.running_mean.clone(), net.running_variance.clone(), net.stream);
    let slope = net.slope(batch);
    (net.running_mean, net.running_variance, net.stream) = kept;
    slope
    // END
}

/// What was seen on a walk, one entry for each η′.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walk {
    /// L(W − η′ g), Fig. 4 (a).
    pub loss: Vec<f64>,
    /// ‖g′ − g‖, of which Fig. 4 (b), "gradient predictiveness", shows the range.
    pub change: Vec<f64>,
    /// ‖g′ − g‖ / ‖η′ g‖, of which Fig. 4 (c), "effective β-smoothness", shows the largest.
    pub beta: Vec<f64>,
}

/// Walks from the net's parameters W along its gradient g on this batch, to W − η′ g for each η′ of `distances`
/// (positive). Each walk begins at W again. g and every g′ are of the same batch and with the same units dropped: two
/// points of one function. The net is left as `quiet_slope` leaves it, bit for bit.
pub fn walk(net: &mut Net, batch: &Batch, distances: &[f64]) -> Walk {
    // SOLUTION the slope at W, then for each η′ the slope at W − η′ g; W is put back at the end
    let here = quiet_slope(net, batch);
    let start = net.parameters.clone();
    let mut walk = Walk::default();
    for eta in distances {
        net.parameters = start.iter().zip(&here.gradient).map(|(w, g)| w - eta * g).collect();
        let there = quiet_slope(net, batch);
        let change = distance(&there.gradient, &here.gradient);
        walk.loss.push(there.loss);
        walk.change.push(change);
        walk.beta.push(change / (eta * length(&here.gradient)));
    }
    net.parameters = start;
    walk
    // END
}

impl Walk {
    /// The smallest and the largest loss on the walk. L(W) itself, where the walk begins, is not on it.
    pub fn loss_range(&self) -> (f64, f64) {
        // SOLUTION the range of self.loss
        range(&self.loss)
        // END
    }

    /// The smallest and the largest ‖g′ − g‖.
    pub fn change_range(&self) -> (f64, f64) {
        // SOLUTION the range of self.change
        range(&self.change)
        // END
    }

    /// Effective β: the largest of the walk.
    pub fn effective_beta(&self) -> f64 {
        // SOLUTION the largest of self.beta
        range(&self.beta).1
        // END
    }
}

/// The smallest and the largest of some values, at least one.
fn range(values: &[f64]) -> (f64, f64) {
    // SOLUTION one pass over the values
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
    // END
}

/// `train_unmeasured` with a walk at every step: a batch of `size` examples is drawn with the net's stream; the walk is
/// taken with it before the step, to η′ = `rate` times each of `multiples`; then the step W ← W − η g, η = `rate`. One
/// walk for each step. The net ends where `train_unmeasured` would have taken it, bit for bit.
pub fn train(net: &mut Net, data: &Batch, size: usize, rate: f64, steps: usize, multiples: &[f64]) -> Vec<Walk> {
    // SOLUTION for each step: draw a batch, walk, take the slope, step
    let distances: Vec<f64> = multiples.iter().map(|multiple| multiple * rate).collect();
    let mut walks = Vec::new();
    for _ in 0..steps {
        let batch = data.draw(size, &mut net.stream);
        walks.push(walk(net, &batch, &distances));
        let slope = net.slope(&batch);
        for (parameter, g) in net.parameters.iter_mut().zip(&slope.gradient) {
            *parameter -= rate * g;
        }
    }
    walks
    // END
}
