//! # Chapter 11: layer normalization
//!
//! - Claim: its statistics are those of each example alone. It is invariant to other changes of weights and data than
//!   BatchNorm (Table 1), "robust to the batch-sizes" (§6.6), and suits recurrent networks, which it trains faster
//!   (§3.1, §6). (Ba, Kiros & Hinton 2016, arXiv:1607.06450; Hung-yi Lee 2021, "To learn more".)
//! - Protocol: the 18 cells of Table 1 in f64; a ReLU MLP 784-256-256-10 on Fashion-MNIST with batches of 128 and of 4,
//!   the same number of examples in both, each normalization and batch size at the learning rate that first reaches a
//!   target; a recurrent network of 64 tanh units that reads the images row by row, batch 64, without normalization,
//!   with layer normalization, and with BatchNorm at each time step. SGD. Rates are chosen on pilot seeds 1000 and
//!   1001, by the steps to a test accuracy of 80 % (recurrent: 60 %).
//! - Measure: how far a change of weights or data changes the output; test accuracy; steps to the target.
//! - Holds if: see `claims.rs`. Floors are those of the plan. In the pilots no recurrent network reached the planned 70
//!   % in 300 steps. Target and grid were lowered, and these pilots take all steps, before any other seed was run.
//! - Differs: the paper's MLP is 784-1000-1000-10 on MNIST, trained by Adam for 60 epochs at rates it does not give;
//!   its recurrent networks read text and handwriting. It also normalizes before the softmax; we do so in neither arm.

mod claims;
mod invariances;
mod networks;
#[cfg(test)]
mod tests;

use anyhow::Result;
use invariances::Invariances;
use networks::{mlp, recurrent};
use normbook::data::image_data::ImageData;
use normbook::norm::{NormKind, UnitShape};
use normbook::probe::train_eval::TrainEval;
use normbook_lab::cli::parse::units;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Sweep, Trials};

/// Layer normalization: statistics of each example alone
#[derive(clap::Args, serde::Serialize, Clone)]
struct LayerNormalization {
    #[command(flatten)]
    images: ImageData,
    /// The normalization that is set against BatchNorm
    #[arg(long, default_value_t = NormKind::Layer)]
    norm: NormKind,
    /// Units of the recurrent network
    #[arg(long, default_value_t = 64, value_parser = units)]
    recurrent_units: u64,
}

// ANCHOR: arms
/// Units of the MLP's layers.
const UNITS: usize = 256;
const LARGE: &[f64] = &[0.03, 0.1, 0.3, 1.0, 3.0];
const SMALL: &[f64] = &[0.001, 0.003, 0.01, 0.03, 0.1, 0.3];
const RECURRENT: &[f64] = &[0.01, 0.03, 0.1, 0.3, 1.0];
const fn sweep(arm: &'static str, learning_rates: &'static [f64]) -> Sweep {
    Sweep { arm, learning_rates }
}
/// The MLPs: sweep, normalization, examples of a batch, and what divides the steps.
const MLPS: [(Sweep, &str, usize, u64); 4] = [
    (sweep("batch 128", LARGE), "batch", 128, 32),
    (sweep("layer 128", LARGE), "layer", 128, 32),
    (sweep("batch 4", SMALL), "batch", 4, 1),
    (sweep("layer 4", SMALL), "layer", 4, 1),
];
const RECURRENT_NETS: [(Sweep, &str); 3] = [
    (sweep("recurrent none", RECURRENT), "none"),
    (sweep("recurrent layer", RECURRENT), "layer"),
    (sweep("recurrent batch", RECURRENT), "batch"),
];
// ANCHOR_END: arms

impl Chapter for LayerNormalization {
    const ID: &'static str = "ch11";
    const TITLE: &'static str = "Layer normalization";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    /// Steps of the batches of 4.
    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 1, 64).with_pilots(1),
            Scale::Book => Protocol::new(scale, 10, 9_600).with_pilots(2),
            Scale::Paper => Protocol::new(scale, 20, 900_000).with_pilots(2),
        }
    }

    /// Half the steps decide on the MLPs.
    fn pilots(&self, protocol: &Protocol) -> Result<Vec<Arm>> {
        let units = self.recurrent_units as usize;
        self.norm.fits(&[UNITS, units], UnitShape::Value)?;
        let data = self.images.labelled(protocol.scale)?;
        let mut arms = Vec::new();
        for (sweep, norm, batch_size, parts) in MLPS {
            let norm = self.kind(norm)?;
            arms.extend(sweep.pilots(|rate| mlp(&data, norm, batch_size, rate, (protocol.steps / (2 * parts)).max(1))));
        }
        for (sweep, norm) in RECURRENT_NETS {
            let norm = self.kind(norm)?;
            arms.extend(sweep.pilots(|rate| recurrent(&data, norm, units, rate, protocol)));
        }
        Ok(arms)
    }

    fn arms(&self, protocol: &Protocol, pilots: &Trials) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let best = |sweep: Sweep| sweep.best(pilots, protocol.scale);
        let units = self.recurrent_units as usize;
        let mut arms = vec![Arm::exact("table", Invariances)];
        let mut add = |name: String, training| arms.push(Arm::seeded(name, TrainEval { training, parts: None }));
        for (sweep, norm, batch_size, parts) in MLPS {
            let steps = (protocol.steps / parts).max(1);
            add(sweep.arm.into(), mlp(&data, self.kind(norm)?, batch_size, best(sweep)?, steps));
        }
        for (sweep, norm) in RECURRENT_NETS {
            add(sweep.arm.into(), recurrent(&data, self.kind(norm)?, units, best(sweep)?, protocol));
        }
        // For the page's questions, at the rates that layer normalization has chosen.
        let (small_rate, recurrent_rate) = (best(MLPS[3].0)?, best(RECURRENT_NETS[1].0)?);
        for name in ["rms", "group:8"] {
            let norm = self.kind(name)?;
            add(format!("{name} 4"), mlp(&data, norm, 4, small_rate, protocol.steps));
            if self.recurrent_units.is_multiple_of(8) {
                add(format!("recurrent {name}"), recurrent(&data, norm, units, recurrent_rate, protocol));
            }
        }
        for (sweep, norm) in [RECURRENT_NETS[0], RECURRENT_NETS[1]] {
            let wider = recurrent(&data, self.kind(norm)?, 128, best(sweep)?, protocol);
            add(format!("{}, 128 units", sweep.arm), wider);
        }
        Ok(arms)
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl LayerNormalization {
    fn kind(&self, name: &str) -> Result<NormKind> {
        if name == "layer" { Ok(self.norm) } else { Ok(name.parse()?) }
    }
}

normbook::chapter!(LayerNormalization);
