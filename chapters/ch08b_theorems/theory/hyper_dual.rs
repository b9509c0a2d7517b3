//! Hyper-dual numbers: a + b ε₁ + c ε₂ + d ε₁ε₂ with ε₁² = ε₂² = 0. A function of x + ε₁ + ε₂ gives f, f′, f′ and f″ at
//! once, exact to rounding: no step size, and no rule but those of arithmetic (Fike & Alonso 2011).

use nalgebra::{DMatrix, DVector};
use std::ops::{Add, Div, Mul, Sub};

/// What a loss computes with: `f64` for its value, [`HyperDual`] for its derivatives.
pub trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + From<f64>
{
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn sqrt(self) -> Self;
}

impl Real for f64 {
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn ln(self) -> Self {
        libm::log(self)
    }
    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

/// A number with two directions of change.
#[derive(Clone, Copy, Debug)]
pub struct HyperDual {
    value: f64,
    /// Along ε₁, along ε₂, along both.
    one: f64,
    other: f64,
    both: f64,
}

impl HyperDual {
    /// f of it, from f, f′ and f″ at its value.
    fn lifted(self, value: f64, slope: f64, curvature: f64) -> Self {
        Self {
            value,
            one: slope * self.one,
            other: slope * self.other,
            both: slope * self.both + curvature * self.one * self.other,
        }
    }
}

impl From<f64> for HyperDual {
    fn from(value: f64) -> Self {
        Self { value, one: 0.0, other: 0.0, both: 0.0 }
    }
}

impl Add for HyperDual {
    type Output = Self;
    fn add(self, by: Self) -> Self {
        Self {
            value: self.value + by.value,
            one: self.one + by.one,
            other: self.other + by.other,
            both: self.both + by.both,
        }
    }
}

impl Sub for HyperDual {
    type Output = Self;
    fn sub(self, by: Self) -> Self {
        self + by * Self::from(-1.0)
    }
}

impl Mul for HyperDual {
    type Output = Self;
    fn mul(self, by: Self) -> Self {
        Self {
            value: self.value * by.value,
            one: self.value * by.one + self.one * by.value,
            other: self.value * by.other + self.other * by.value,
            both: self.value * by.both + self.one * by.other + self.other * by.one + self.both * by.value,
        }
    }
}

impl Div for HyperDual {
    type Output = Self;
    fn div(self, by: Self) -> Self {
        let inverse = 1.0 / by.value;
        self * by.lifted(inverse, -inverse * inverse, 2.0 * inverse * inverse * inverse)
    }
}

impl Real for HyperDual {
    fn exp(self) -> Self {
        let value = libm::exp(self.value);
        self.lifted(value, value, value)
    }
    fn ln(self) -> Self {
        let inverse = 1.0 / self.value;
        self.lifted(libm::log(self.value), inverse, -inverse * inverse)
    }
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.lifted(root, 0.5 / root, -0.25 / (root * self.value))
    }
}

/// A number for every vector.
pub trait Function {
    fn at<R: Real>(&self, x: &[R]) -> R;

    fn gradient(&self, x: &[f64]) -> DVector<f64> {
        DVector::from_fn(x.len(), |index, _| self.at(&moved(x, index, index)).one)
    }

    fn hessian(&self, x: &[f64]) -> DMatrix<f64> {
        DMatrix::from_fn(x.len(), x.len(), |row, column| self.at(&moved(x, row, column)).both)
    }

    /// The slope along `direction` by a central difference: nothing but values.
    fn difference(&self, x: &[f64], direction: &DVector<f64>, step: f64) -> f64 {
        let at = |by: f64| self.at(&x.iter().zip(direction.iter()).map(|(x, d)| x + by * d).collect::<Vec<f64>>());
        (at(step) - at(-step)) / (2.0 * step)
    }
}

/// `x` with ε₁ at one place and ε₂ at another.
fn moved(x: &[f64], one: usize, other: usize) -> Vec<HyperDual> {
    let mut moved: Vec<HyperDual> = x.iter().copied().map(HyperDual::from).collect();
    moved[one].one = 1.0;
    moved[other].other = 1.0;
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f = x₀² √x₁ / x₀ + ln(x₁) e^{x₀}
    struct Example;

    impl Function for Example {
        fn at<R: Real>(&self, x: &[R]) -> R {
            x[0] * x[0] * x[1].sqrt() / x[0] + x[1].ln() * x[0].exp()
        }
    }

    #[test]
    fn derivatives_are_those_on_paper() {
        let (a, b) = (0.7_f64, 2.3_f64);
        let (gradient, hessian) = (Example.gradient(&[a, b]), Example.hessian(&[a, b]));
        let mixed = 0.5 / b.sqrt() + a.exp() / b;
        let expected = [a.exp() * b.ln(), mixed, mixed, -0.25 * a * b.powf(-1.5) - a.exp() / (b * b)];
        assert!((gradient[0] - b.sqrt() - b.ln() * a.exp()).abs() < 1e-14);
        assert!((gradient[1] - 0.5 * a / b.sqrt() - a.exp() / b).abs() < 1e-14);
        assert!(hessian.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-14), "{hessian}");
    }

    #[test]
    fn a_central_difference_is_close() {
        let direction = DVector::from_vec(vec![0.3, -0.8]);
        let slope = Example.gradient(&[0.7, 2.3]).dot(&direction);
        assert!((Example.difference(&[0.7, 2.3], &direction, 1e-5) - slope).abs() < 1e-9);
    }
}
