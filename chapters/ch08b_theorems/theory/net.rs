//! A random net around one normalized unit.

use super::hyper_dual::{Function, Real};
use nalgebra::DVector;
use normbook_lab::seed::{Purpose, Seed, Stream};

/// Units beside the one that is looked at, units of the layer above, classes.
const OTHERS: usize = 2;
const HIDDEN: usize = 4;
const CLASSES: usize = 3;

/// What stands behind the unit: z ↦ L(z), the mean cross-entropy of a net with a hidden layer of softplus units. In
/// every second net that layer is normalized too, which couples the examples: then the Hessian by z is not diagonal.
pub struct Upper {
    /// Outputs of the layer's other units, an example each.
    others: Vec<[f64; OTHERS]>,
    hidden: [[f64; 1 + OTHERS]; HIDDEN],
    output: [[f64; HIDDEN]; CLASSES],
    classes: Vec<usize>,
    normalized: bool,
}

impl Function for Upper {
    fn at<R: Real>(&self, z: &[R]) -> R {
        let softplus = |x: R| (R::from(1.0) + x.exp()).ln();
        let unit = |weights: &[f64; 1 + OTHERS]| -> Vec<R> {
            let weighed = |(z, others): (&R, &[f64; OTHERS])| {
                others.iter().zip(&weights[1..]).fold(*z * weights[0].into(), |sum, (x, w)| sum + (x * w).into())
            };
            let values: Vec<R> = z.iter().zip(&self.others).map(weighed).collect();
            let values = if self.normalized { normalized(&values) } else { values };
            values.into_iter().map(softplus).collect()
        };
        let hidden = self.hidden.each_ref().map(unit);
        let surprise = |(example, class): (usize, &usize)| {
            let logits = self.output.map(|weights| {
                weights.iter().zip(&hidden).fold(R::from(0.0), |sum, (w, unit)| sum + unit[example] * (*w).into())
            });
            logits.iter().fold(R::from(0.0), |sum, logit| sum + logit.exp()).ln() - logits[*class]
        };
        let sum = self.classes.iter().enumerate().map(surprise).fold(R::from(0.0), |sum, one| sum + one);
        sum / R::from(z.len() as f64)
    }
}

/// ŷ = (y − μ)/σ over the batch, ε = 0.
// ANCHOR: normalized
pub fn normalized<R: Real>(y: &[R]) -> Vec<R> {
    let mean = |values: &mut dyn Iterator<Item = R>| values.fold(R::from(0.0), R::add) / R::from(y.len() as f64);
    let mu = mean(&mut y.iter().copied());
    let sigma = mean(&mut y.iter().map(|y| (*y - mu) * (*y - mu))).sqrt();
    y.iter().map(|y| (*y - mu) / sigma).collect()
}
// ANCHOR_END: normalized

/// The same loss as a function of what goes into the normalization: L̂(y) = L(γ ŷ + β).
// ANCHOR: behind
pub struct Behind<'a, L> {
    pub loss: &'a L,
    pub gamma: f64,
    pub beta: f64,
}

impl<L: Function> Function for Behind<'_, L> {
    fn at<R: Real>(&self, y: &[R]) -> R {
        let z: Vec<R> = normalized(y).into_iter().map(|y| y * self.gamma.into() + self.beta.into()).collect();
        self.loss.at(&z)
    }
}
// ANCHOR_END: behind

/// A unit: its outputs, γ and β, and what stands behind it.
pub struct Net {
    pub y: Vec<f64>,
    pub gamma: f64,
    pub beta: f64,
    pub upper: Upper,
}

impl Net {
    /// The net of this number: batches of 3 to 12, γ and σ between a tenth and ten.
    pub fn draw(number: usize) -> Self {
        let mut stream = Seed(0).stream(Purpose::Probe, number as u64);
        let m = 3 + number % 10;
        let (mu, sigma) = (stream.normal(), decade(&mut stream));
        let y = (0..m).map(|_| mu + sigma * stream.normal()).collect();
        let (gamma, beta) = (decade(&mut stream), stream.normal());
        let upper = Upper {
            others: (0..m).map(|_| [(); OTHERS].map(|()| stream.normal())).collect(),
            hidden: [(); HIDDEN].map(|()| [(); 1 + OTHERS].map(|()| stream.normal())),
            output: [(); CLASSES].map(|()| [(); HIDDEN].map(|()| stream.normal())),
            classes: (0..m).map(|_| stream.permutation(CLASSES)[0]).collect(),
            normalized: number % 2 == 1,
        };
        Self { y, gamma, beta, upper }
    }

    pub fn behind(&self) -> Behind<'_, Upper> {
        Behind { loss: &self.upper, gamma: self.gamma, beta: self.beta }
    }
}

/// Between a tenth and ten, its logarithm uniform.
pub fn decade(stream: &mut Stream) -> f64 {
    libm::pow(10.0, stream.uniform(-1.0, 1.0))
}

/// σ of a batch, and ŷ.
pub fn statistics(y: &[f64]) -> (f64, DVector<f64>) {
    let values = DVector::from_column_slice(y);
    (values.variance().sqrt(), DVector::from_vec(normalized(y)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nets_differ_and_come_again() {
        let loss = |number| Net::draw(number).behind().at(&Net::draw(number).y);
        assert_eq!(loss(4), loss(4));
        assert!(loss(4) != loss(5) && loss(4) > 0.0);
        assert_eq!(Net::draw(4).y.len(), 7);
    }

    /// Where the layer above is normalized, the examples are coupled.
    #[test]
    fn every_second_hessian_is_full() {
        for number in [6, 7] {
            let net = Net::draw(number);
            let hessian = net.upper.hessian(&net.y);
            assert_eq!(hessian[(0, 1)].abs() > 1e-12, number == 7, "{hessian}");
        }
    }

    #[test]
    fn the_statistics_are_biased() {
        let (sigma, normalized) = statistics(&[0.0, 2.0]);
        assert_eq!((sigma, normalized[0], normalized[1]), (1.0, -1.0, 1.0));
    }
}
