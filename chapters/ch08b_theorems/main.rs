//! # Chapter 8b: the theorems, run
//!
//! - Claim: the theorems of Santurkar et al. 2018 (arXiv:1805.11604), §4: 4.1, 4.2, Observation 4.3, 4.4, Lemma 4.5;
//!   and the gradient explosion of deep networks with BatchNorm (Yang et al. 2019, arXiv:1902.08129).
//! - Protocol: random networks in f64, ε = 0, derivatives by hyper-dual numbers; deep networks at initialization by the
//!   library's layers, f32.
//! - Measure: both sides of each statement; growth of ‖∂L/∂h‖² per layer, relative to what the mean field predicts.
//! - Holds if: see `claims.rs`; the headline holds if Theorem 4.1, with 1/m inside, is an equality.
//! - Pilots: seeds 1000 to 1004 settled width, depth and margins of the deep networks (their growth was within 1 % of
//!   the mean field, an interval at worst 2 points wide each way) and the floor of the trained ones (differences of
//!   0.53 to 0.64).
//! - Differs: we know the printed theorems from a fact sheet and from notes of others, not from the typeset page; each
//!   is derived anew on the page.

mod claims;
mod explosion;
mod mean_field;
#[cfg(test)]
mod tests;
mod theory;

use anyhow::Result;
use explosion::Activation::{self, Identity, Relu};
use explosion::Explosion;
use explosion::Layers::{Normalized, Plain};
use mean_field::MeanField;
use normbook::data::image_data::ImageData;
use normbook::net::layer::{Activation::Relu as ReluUnits, BlockConfig, Weights};
use normbook::norm::{NormKind, UnitShape};
use normbook::train::classifier::{Architecture, Classifier};
use normbook::train::optimizer::OptimizerKind::Sgd;
use normbook_lab::cli::parse::{units, whole};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Trials};
use theory::{
    by_hand::ByHand, initialization::Initialization, landscape::Landscape, recovery::Recovery, second_form::SecondForm,
    weight_space::WeightSpace,
};

/// The theorems about batch normalization, checked on random networks
#[derive(clap::Args, serde::Serialize, Clone)]
struct Theorems {
    #[command(flatten)]
    #[serde(flatten)]
    images: ImageData,
    /// Random networks that each theorem is checked on
    #[arg(long, default_value_t = 200, value_parser = whole::<1, 100_000>)]
    nets: u64,
    /// Units of each layer of the deep networks
    #[arg(long, default_value_t = 512, value_parser = units)]
    width: u64,
    /// Layers of the deep networks
    #[arg(long, default_value_t = 40, value_parser = whole::<1, 1_000>)]
    depth: u64,
    /// Normalization of the networks that are trained: none, batch, or group:1, which is layer normalization
    #[arg(long, default_value = "batch")]
    norm: NormKind,
}

// ANCHOR: arms
const BATCH_SIZES: [usize; 4] = [8, 16, 64, 256];
/// Deep networks at initialization.
const DEEP: [(&str, Activation); 2] = [("linear", Identity), ("relu", Relu)];
/// Networks that are trained, shallow and deep, at learning rates over two decades.
const DEPTHS: [(&str, usize); 2] = [("5 layers", 5), ("50 layers", 50)];
const TRAINED_WIDTH: usize = 100;
const RATES: [f64; 3] = [0.01, 0.1, 1.0];
// ANCHOR_END: arms

impl Chapter for Theorems {
    const ID: &'static str = "ch08b";
    const TITLE: &'static str = "The theorems, run";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 2, 5),
            Scale::Book => Protocol::new(scale, 10, 300),
            Scale::Paper => Protocol::new(scale, 20, 3_000),
        }
    }

    fn arms(&self, protocol: &Protocol, _: &Trials) -> Result<Vec<Arm>> {
        self.norm.fits(&[TRAINED_WIDTH], UnitShape::Value)?;
        let nets = self.nets as usize;
        let mut arms = vec![
            Arm::exact("landscape", Landscape { nets }),
            Arm::exact("second form", SecondForm { nets }),
            Arm::exact("recovery", Recovery { nets }),
            Arm::exact("weights", WeightSpace { nets }),
            Arm::exact("initialization", Initialization { nets }),
            Arm::exact("by hand", ByHand),
        ];
        let (width, depth) = match protocol.scale {
            Scale::Smoke => (self.width.min(64) as usize, self.depth.min(16) as usize),
            Scale::Book | Scale::Paper => (self.width as usize, self.depth as usize),
        };
        for (name, activation) in DEEP {
            let mean_field = MeanField { activation, batch_sizes: BATCH_SIZES.into(), depth, batch_size: 256 };
            arms.push(Arm::exact(format!("{name}, mean field"), mean_field));
            let (layers, batch_sizes) = (Normalized, vec![256]);
            let deep = Explosion { activation, layers, width, depth, batch_sizes, weight_scale: 1.0 };
            arms.push(Arm::seeded(name, Explosion { batch_sizes: BATCH_SIZES.into(), ..deep.clone() }));
            let tenfold = Explosion { weight_scale: 10.0, ..deep.clone() };
            arms.push(Arm::seeded(format!("{name}, weights tenfold"), tenfold));
            if activation == Relu {
                arms.push(Arm::seeded("relu, no norm", Explosion { layers: Plain, ..deep.clone() }));
                let narrow = |depth| Explosion { width: 64, depth, ..deep.clone() };
                arms.push(Arm::seeded("relu, narrow", narrow(depth)));
                arms.push(Arm::seeded("relu, narrow, deeper", narrow(3 * depth)));
            }
        }
        let data = self.images.labelled(protocol.scale)?;
        let trained = |norm, layers, learning_rate| Classifier {
            data: data.clone(),
            architecture: Architecture::Mlp(vec![TRAINED_WIDTH; layers]),
            hidden: BlockConfig::new(norm, ReluUnits),
            weights: Weights::Glorot,
            rule: Sgd,
            learning_rate,
            batch_size: 60,
            steps: protocol.steps,
            target_accuracy: 0.7,
            curve_examples: 500,
        };
        for (name, layers) in DEPTHS {
            let arm = |rate| Arm::seeded(format!("{name}, rate {rate}"), trained(self.norm, layers, rate));
            arms.extend(RATES.map(arm));
        }
        arms.push(Arm::seeded("50 layers, layer norm, rate 0.1", trained(NormKind::Group(1), 50, 0.1)));
        Ok(arms)
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

normbook::chapter!(Theorems);
