//! The style of one image on the content of another, by the statistics of features (Huang & Belongie 2017,
//! arXiv:1703.06868).
//!
//! AdaIN(x, y) = σ(y) (x − μ(x)) / σ(x) + μ(y)    eq. 8, μ and σ of each channel over its pixels
//!
//! The paper's encoder is VGG up to relu4_1, and a decoder is trained to paint. Here the encoder is a convolution of a
//! small classifier, before its activation, and there is no decoder: descent on the pixels, from the content image on,
//! looks for the image x with features f(x) = AdaIN(f(content), f(style)). Adam walks; the best image on its way is
//! kept.

use candle_core::{D, Result, Tensor, Var, bail};
use normbook::net::{Net, Place};
use normbook::norm::Pass;
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook::train::optimizer::{Optimizer, OptimizerKind};
use normbook::train::training::Snapshot;
use normbook_lab::trial::{Grid, RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The grid of the images, as bytes: a column for each pair; content, style and result below each other.
pub const IMAGES: &str = "images";
/// How far the channels' statistics have come, in parts of the way from the content's to the style's.
pub const STYLE_MOVED: &str = "style_moved";
/// Mean correlation, over channels, of the result's features with the content's.
pub const LAYOUT_OF_CONTENT: &str = "layout_of_content";

/// σ is √(variance + ε).
const EPSILON: f64 = 1e-5;

/// The trial: trains a classifier and swaps styles by its features.
#[derive(Clone, Serialize)]
pub struct StyleSwap {
    pub training: Classifier,
    /// The convolution whose features are used, from 0.
    pub layer: usize,
    /// Classes of content and style: the first test image of each.
    pub pairs: Vec<[u32; 2]>,
    pub descent_steps: u64,
    /// Adam's, on standardised pixels.
    pub pixel_rate: f64,
}

/// What a pair gives: an image and values.
type Swapped = (Tensor, [(&'static str, f64); 5]);

impl Trial for StyleSwap {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: grid [`IMAGES`] and values, means over the pairs: [`STYLE_MOVED`];
    /// [`LAYOUT_OF_CONTENT`]; `layout_of_style`, the correlation with the style's features, and `layout_before`, that
    /// at the start; `target_missed`, the squared distance to the features looked for, in parts of that at the start. A
    /// run that diverged has none.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        self.training.train(TrainOptions::default(), context, &mut (), |(), snapshot, trace| {
            if snapshot.step == self.training.steps { self.swap_all(snapshot, trace) } else { Ok(()) }
        })
    }
}

impl StyleSwap {
    fn swap_all(&self, snapshot: &Snapshot, trace: &mut Trace) -> Result<()> {
        let all = snapshot.test.inputs.flatten_all()?;
        let range = [scalar(&all.min(0)?)?, scalar(&all.max(0)?)?];
        let mut columns = Vec::new();
        for [content, style] in &self.pairs {
            let (content, style) = (first_of(snapshot, *content)?, first_of(snapshot, *style)?);
            let (image, values) = self.swap(snapshot.net, &content, &style, range)?;
            for (name, value) in values {
                *trace.values.entry(name.into()).or_default() += value / self.pairs.len() as f64;
            }
            columns.push(Tensor::cat(&[content, style, image], 2)?.squeeze(0)?.squeeze(0)?);
        }
        trace.grids.insert(IMAGES.into(), in_bytes(&Tensor::cat(&columns, 1)?, range)?);
        Ok(())
    }

    /// `content` and `style`: `[1, 1, H, W]`.
    fn swap(&self, net: &dyn Net, content: &Tensor, style: &Tensor, [low, high]: [f64; 2]) -> Result<Swapped> {
        let features = |image: &Tensor| features(net, self.layer, image);
        let (of_content, of_style) = (features(content)?, features(style)?);
        let target = adain(&of_content, &of_style)?;
        let distance = |features: &Tensor| (features - &target)?.sqr()?.sum_all();
        let pixels = Var::from_tensor(&content.copy()?)?;
        let mut optimizer = Optimizer::new(OptimizerKind::Adam, vec![pixels.clone()], self.pixel_rate)?;
        let mut best = (f32::INFINITY, content.clone());
        for step in 0..=self.descent_steps {
            let loss = distance(&features(&pixels)?)?;
            if loss.to_scalar::<f32>()? < best.0 {
                best = (loss.to_scalar()?, pixels.as_detached_tensor().copy()?);
            }
            if step < self.descent_steps {
                optimizer.step(&loss.backward()?)?;
                pixels.set(&pixels.as_detached_tensor().clamp(low, high)?)?;
            }
        }
        let found = features(&best.1)?;
        let apart = |one: &Tensor| style_distance(one, &of_style);
        let missed = scalar(&distance(&found)?)? / scalar(&distance(&of_content)?)?;
        let values = [
            (STYLE_MOVED, 1.0 - apart(&found)? / apart(&of_content)?),
            (LAYOUT_OF_CONTENT, correlation(&found, &of_content)?),
            ("layout_of_style", correlation(&found, &of_style)?),
            ("layout_before", correlation(&of_content, &of_style)?),
            ("target_missed", missed),
        ];
        Ok((best.1, values))
    }
}

// ANCHOR: adain
/// AdaIN(x, y) of features `[N, C, H, W]`.
fn adain(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let [mean, deviation] = statistics(y)?;
    normalized(x)?.broadcast_mul(&deviation)?.broadcast_add(&mean)
}

/// (x − μ(x)) / σ(x).
fn normalized(x: &Tensor) -> Result<Tensor> {
    let [mean, deviation] = statistics(x)?;
    x.broadcast_sub(&mean)?.broadcast_div(&deviation)
}

/// μ and σ, each `[N, C, 1, 1]`.
fn statistics(x: &Tensor) -> Result<[Tensor; 2]> {
    let mean = x.mean_keepdim((2, 3))?;
    let variance = x.broadcast_sub(&mean)?.sqr()?.mean_keepdim((2, 3))?;
    Ok([mean, (variance + EPSILON)?.sqrt()?])
}
// ANCHOR_END: adain

/// √ Σ (μ(x) − μ(y))² + (σ(x) − σ(y))² over the channels.
fn style_distance(x: &Tensor, y: &Tensor) -> Result<f64> {
    let (x, y) = (Tensor::cat(&statistics(x)?, 1)?, Tensor::cat(&statistics(y)?, 1)?);
    scalar(&(x - y)?.sqr()?.sum_all()?.sqrt()?)
}

/// The mean over channels of the correlation over pixels.
fn correlation(x: &Tensor, y: &Tensor) -> Result<f64> {
    scalar(&(normalized(x)? * normalized(y)?)?.mean_all()?)
}

/// What a layer's linear map gives for an image.
fn features(net: &dyn Net, layer: usize, image: &Tensor) -> Result<Tensor> {
    let mut seen = None;
    net.forward_watched(image, Pass::EVAL, &mut |index, place, tensor| {
        if (index, place) == (layer, Place::Mapped) {
            seen = Some(tensor.clone());
        }
        Ok(())
    })?;
    let Some(seen) = seen else { bail!("the net has no layer {layer}") };
    Ok(seen)
}

/// The first test image of a class, `[1, 1, H, W]`.
fn first_of(snapshot: &Snapshot, class: u32) -> Result<Tensor> {
    let classes = snapshot.test.classes()?.to_vec1::<u32>()?;
    let Some(index) = classes.iter().position(|other| *other == class) else { bail!("no test image of class {class}") };
    snapshot.test.inputs.narrow(0, index, 1)
}

/// Pixels `[H, W]` in a range as 0 … 255, as files have them.
fn in_bytes(image: &Tensor, [low, high]: [f64; 2]) -> Result<Grid> {
    let axis = |dim: D| -> Result<Vec<f64>> { Ok((0..image.dim(dim)?).map(|index| index as f64).collect()) };
    let byte = |pixel: f32| ((f64::from(pixel) - low) / (high - low) * 255.0).round();
    let z = image.flatten_all()?.to_vec1::<f32>()?.into_iter().map(byte).collect();
    Ok(Grid { x: axis(D::Minus1)?, y: axis(D::Minus2)?, z })
}

fn scalar(tensor: &Tensor) -> Result<f64> {
    Ok(f64::from(tensor.to_scalar::<f32>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::net::convolutional::Stage::{Convolution, Pool};
    use normbook::norm::NormKind;
    use normbook::testing::classifier;
    use normbook::train::classifier::Architecture;
    use normbook_lab::seed::{Purpose, Seed};

    fn trial(pairs: &[[u32; 2]]) -> StyleSwap {
        let mut training = classifier(NormKind::None);
        training.architecture = Architecture::Convolutional(&[Convolution(4), Pool, Convolution(6), Pool]);
        StyleSwap { training, layer: 1, pairs: pairs.to_vec(), descent_steps: 40, pixel_rate: 0.05 }
    }

    /// The definition channel by channel in f64.
    #[test]
    fn the_output_has_the_styles_mean_and_deviation_and_the_contents_layout() {
        let drawn = |seed, size| {
            let mut stream = Seed(seed).stream(Purpose::Data, 0);
            (stream.normal_tensor((1, 3, 7, 5), size, &Device::Cpu).unwrap() + size).unwrap()
        };
        let (x, y) = (drawn(0, 1.0), drawn(1, 3.0));
        let output = adain(&x, &y).unwrap();
        let of = |features: &Tensor| -> Vec<[f64; 2]> {
            let channel = |values: Vec<f32>| {
                let mean = |power: i32, center: f64| {
                    values.iter().map(|value| (f64::from(*value) - center).powi(power)).sum::<f64>() / 35.0
                };
                [mean(1, 0.0), mean(2, mean(1, 0.0)).sqrt()]
            };
            features.squeeze(0).unwrap().flatten_from(1).unwrap().to_vec2().unwrap().into_iter().map(channel).collect()
        };
        for (found, expected) in of(&output).iter().zip(&of(&y)) {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?} {expected:?}");
        }
        assert!((correlation(&output, &x).unwrap() - 1.0).abs() < 1e-4);
        assert!(style_distance(&output, &y).unwrap() < 1e-4 && style_distance(&x, &y).unwrap() > 1.0);
    }

    /// Its own style changes no pixel but by rounding: to a byte the same image.
    #[test]
    fn an_image_in_its_own_style_stays() {
        let grid = &trial(&[[3, 3]]).run_alone(Seed(0), &Device::Cpu).unwrap().grids[IMAGES];
        assert_eq!((grid.x.len(), grid.y.len()), (28, 3 * 28));
        let images: Vec<&[f64]> = grid.z.chunks(28 * 28).collect();
        assert_eq!((images[0], images[0]), (images[1], images[2]));
        assert!(images[0].contains(&0.0) && images[0].iter().any(|byte| *byte > 100.0));
    }

    #[test]
    fn the_descent_comes_nearer_and_the_net_stays_as_it_was() {
        let trial = trial(&[[9, 8], [0, 6]]);
        let trace = trial.run_alone(Seed(1), &Device::Cpu).unwrap();
        let value = |name: &str| trace.values[name];
        assert!(value("target_missed") < 0.8 && value(STYLE_MOVED) > 0.1, "{:?}", trace.values);
        assert!(value(LAYOUT_OF_CONTENT) > value("layout_of_style"), "{:?}", trace.values);
        let alone = trial.training.run_alone(Seed(1), &Device::Cpu).unwrap();
        assert!(alone.values.iter().all(|(name, value)| trace.values[name] == *value));
        assert_eq!((alone.series, trace.grids[IMAGES].z.len()), (trace.series.clone(), 2 * 3 * 28 * 28));
        assert_eq!(trace, trial.run_alone(Seed(1), &Device::Cpu).unwrap());
    }

    #[test]
    fn a_class_without_images_is_named() {
        let error = trial(&[[9, 10]]).run_alone(Seed(0), &Device::Cpu).unwrap_err().to_string();
        assert!(error.contains("no test image of class 10"), "{error}");
    }
}
