//! Checks of A2's reference solution that do not depend on its code. `assignments/grader/tests/references.rs` runs
//! them; students do not get them.

use crate::a2::{BatchNorm, Shape, mean_and_variance, mean_and_variance_f32};
use normbook_grade::rng::Rng;

const STEP: f64 = 1e-5;

/// CS231n's measure: the largest |x − y| / max(10⁻⁸, |x| + |y|).
fn relative(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / (a.abs() + b.abs()).max(1e-8)).fold(0.0, f64::max)
}

fn layer(rng: &mut Rng, features: usize) -> BatchNorm {
    BatchNorm {
        gamma: rng.normals(&[features], 0.5, 1.5).values,
        beta: rng.normals(&[features], 1.0, 0.0).values,
        ..BatchNorm::new(features)
    }
}

/// Computes the derivative of ℓ = Σ upstream · y with respect to each entry of `at`.
fn differences(at: &[f64], upstream: &[f64], forward: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let loss = |at: &[f64]| forward(at).iter().zip(upstream).map(|(y, upstream)| y * upstream).sum::<f64>();
    let slope = |index: usize| {
        let moved = |by: f64| {
            let mut at = at.to_vec();
            at[index] += by;
            loss(&at)
        };
        (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
    };
    (0..at.len()).map(slope).collect()
}

/// CS231n's forward checks: N = 200, mean β and standard deviation γ.
#[test]
fn the_output_has_mean_beta_and_standard_deviation_gamma() {
    let mut rng = Rng::new(1);
    let layer = layer(&mut rng, 3);
    let (y, _) = layer.forward(&rng.normals(&[200, 3], 5.0, 12.0).values);
    let (mean, variance) = mean_and_variance(&y, 3);
    let deviation: Vec<f64> = variance.into_iter().map(f64::sqrt).collect();
    let gamma: Vec<f64> = layer.gamma.iter().map(|gamma| gamma.abs()).collect();
    assert!(relative(&mean, &layer.beta) < 1e-10 && relative(&deviation, &gamma) < 1e-5);
}

/// CS231n's check of the test mode: 50 batches to warm up.
#[test]
fn after_many_batches_evaluation_normalizes_new_examples() {
    let mut rng = Rng::new(2);
    let mut layer = BatchNorm::new(3);
    for _ in 0..50 {
        layer.follow(&rng.normals(&[200, 3], 5.0, 12.0).values);
    }
    let (mean, variance) = mean_and_variance(&layer.evaluate(&rng.normals(&[200, 3], 5.0, 12.0).values), 3);
    assert!(mean.iter().all(|mean| mean.abs() < 0.25) && variance.iter().all(|variance| (variance - 1.0).abs() < 0.35));
}

/// Averaged over many batches of two, the unbiased variance is the variance, and the biased one is half of it.
#[test]
fn the_running_variance_is_unbiased() {
    let mut rng = Rng::new(3);
    let mut layer = BatchNorm { momentum: 0.001, ..BatchNorm::new(1) };
    for _ in 0..20_000 {
        layer.follow(&rng.normals(&[2, 1], 2.0, 0.0).values);
    }
    assert!((layer.running_variance[0] - 4.0).abs() < 0.4, "{:?}", layer.running_variance);
}

#[test]
fn the_gradients_are_those_of_central_differences() {
    let mut rng = Rng::new(4);
    for (n, d, epsilon) in [(4, 5, 1e-5), (7, 2, 1e-5), (3, 3, 0.5), (1, 2, 1.0)] {
        let layer = BatchNorm { epsilon, ..layer(&mut rng, d) };
        let (x, upstream) = (rng.normals(&[n, d], 5.0, 12.0).values, rng.normals(&[n, d], 1.0, 0.0).values);
        let (_, cache) = layer.forward(&x);
        let (gamma, beta) = layer.backward_parameters(&cache, &upstream);
        let of_x = differences(&x, &upstream, |x| layer.forward(x).0);
        let of_gamma = differences(&layer.gamma, &upstream, |gamma| {
            BatchNorm { gamma: gamma.into(), ..layer.clone() }.forward(&x).0
        });
        let of_beta =
            differences(&layer.beta, &upstream, |beta| BatchNorm { beta: beta.into(), ..layer.clone() }.forward(&x).0);
        assert!(relative(&layer.backward_inputs(&cache, &upstream), &of_x) < 1e-7, "{n} × {d}");
        assert!(relative(&gamma, &of_gamma) < 1e-7 && relative(&beta, &of_beta) < 1e-7, "{n} × {d}");
    }
}

#[test]
fn the_gradients_of_images_are_those_of_central_differences() {
    let mut rng = Rng::new(5);
    for shape in [[2, 3, 2, 2], [1, 2, 3, 1], [3, 2, 1, 1]] {
        let sizes = Shape { n: shape[0], channels: shape[1], height: shape[2], width: shape[3] };
        let layer = layer(&mut rng, sizes.channels);
        let (x, upstream) = (rng.normals(&shape, 5.0, 12.0).values, rng.normals(&shape, 1.0, 0.0).values);
        let (_, cache) = layer.forward_2d(&x, sizes);
        let gradients = layer.backward_2d(&cache, &upstream, sizes);
        let of_x = differences(&x, &upstream, |x| layer.forward_2d(x, sizes).0);
        let with_gamma = |gamma: &[f64]| BatchNorm { gamma: gamma.into(), ..layer.clone() }.forward_2d(&x, sizes).0;
        let with_beta = |beta: &[f64]| BatchNorm { beta: beta.into(), ..layer.clone() }.forward_2d(&x, sizes).0;
        assert!(relative(&gradients.x, &of_x) < 1e-6, "{shape:?}");
        assert!(relative(&gradients.gamma, &differences(&layer.gamma, &upstream, with_gamma)) < 1e-7);
        assert!(relative(&gradients.beta, &differences(&layer.beta, &upstream, with_beta)) < 1e-7);
    }
}

/// Without ε, scaling and shifting a feature does not change the output, and divides the gradient by the scale.
#[test]
fn a_stretch_and_a_shift_change_nothing() {
    let mut rng = Rng::new(6);
    let layer = BatchNorm { epsilon: 0.0, ..layer(&mut rng, 3) };
    let (x, upstream) = (rng.normals(&[8, 3], 1.0, 0.0).values, rng.normals(&[8, 3], 1.0, 0.0).values);
    let moved: Vec<f64> = x.iter().map(|x| 4.0 * x + 3.0).collect();
    let ((y, cache), (other, other_cache)) = (layer.forward(&x), layer.forward(&moved));
    assert!(relative(&y, &other) < 1e-10);
    let (gradient, other) = (layer.backward_inputs(&cache, &upstream), layer.backward_inputs(&other_cache, &upstream));
    let stretched: Vec<f64> = other.iter().map(|gradient| 4.0 * gradient).collect();
    assert!(relative(&gradient, &stretched) < 1e-9);
    // The gradient is therefore orthogonal to a shift and to a scaling of each feature.
    let sum = |of: &dyn Fn(usize) -> f64, feature: usize| (feature..x.len()).step_by(3).map(of).sum::<f64>();
    for feature in 0..3 {
        assert!(sum(&|index| gradient[index], feature).abs() < 1e-13);
        assert!(sum(&|index| gradient[index] * x[index], feature).abs() < 1e-13);
    }
}

#[test]
fn evaluation_does_not_depend_on_the_batch() {
    let mut rng = Rng::new(7);
    let mut layer = layer(&mut rng, 2);
    layer.follow(&rng.normals(&[9, 2], 2.0, 1.0).values);
    let x = rng.normals(&[5, 2], 2.0, 1.0).values;
    let alone: Vec<f64> = x.chunks(2).flat_map(|example| layer.evaluate(example)).collect();
    assert_eq!(layer.evaluate(&x), alone);
}

/// An image of one pixel is a vector.
#[test]
fn images_of_one_place_are_vectors() {
    let mut rng = Rng::new(8);
    let layer = layer(&mut rng, 3);
    let x = rng.normals(&[6, 3], 2.0, 1.0).values;
    let shape = Shape { n: 6, channels: 3, height: 1, width: 1 };
    assert_eq!(layer.forward_2d(&x, shape), layer.forward(&x));
    assert_eq!(layer.evaluate_2d(&x, shape), layer.evaluate(&x));
    let (mut one, mut other) = (layer.clone(), layer);
    one.follow(&x);
    other.follow_2d(&x, shape);
    assert_eq!(one, other);
}

/// Two passes keep three digits where one pass loses all.
#[test]
fn two_passes_in_32_bits_are_right() {
    for seed in 0..50 {
        let x: Vec<f32> = Rng::new(seed).normals(&[64, 4], 1.0, 1e4).values.iter().map(|x| *x as f32).collect();
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let ((_, narrow), (_, exact)) = (mean_and_variance_f32(&x, 4), mean_and_variance(&wide, 4));
        let narrow: Vec<f64> = narrow.into_iter().map(f64::from).collect();
        assert!(relative(&narrow, &exact) < 1e-4, "{}", relative(&narrow, &exact));
    }
}
