//! # Chapter 1: feature normalization
//!
//! - Claim: "In general, feature normalization makes gradient descent converge faster." (Hung-yi Lee 2021, slide
//!   "Feature Normalization"; LeCun et al. 1998, Efficient BackProp, §4.3.)
//! - Protocol: least squares on a table, from w = 0, with four preparations; then a ReLU network on raw and on
//!   standardized features.
//! - Measure: condition number κ of XᵀX/N; steps to 1 % of the initial excess loss (f64, closed form); steps of the
//!   network to a target training loss at each arm's best learning rate, chosen on pilot seeds 1000 to 1002, judged on
//!   0 to 9.
//! - Holds if: see `claims.rs`. The headline holds if standardizing saves at least 99 of 100 steps to 1 %.
//! - Differs: the slides sketch a landscape and show no data. The toy, the tables and the networks are ours.

mod claims;
mod conditioning;
mod landscape;
mod quadratic;
mod stepping;
#[cfg(test)]
mod tests;

use anyhow::Result;
use conditioning::Conditioning;
use landscape::ToyLandscape;
use normbook::data::design::{Design, Source};
use normbook::data::standardize::Preparation::{self, Raw, Scaled, Standardised};
use normbook::data::tabular::Table;
use normbook::train::optimizer::OptimizerKind::{self, Adam, Sgd};
use normbook::train::tabular::TabularNet;
use normbook_lab::cli::parse::{positive, toy_scale, units};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Sweep, Trials};
use stepping::Stepping;

/// Feature normalization makes gradient descent converge faster
#[derive(clap::Args, serde::Serialize, Clone)]
struct FeatureNormalization {
    /// Table that least squares and the network are trained on
    #[arg(long, value_enum, default_value = "wine")]
    table: Table,
    /// Where the second input of the lecture's toy lies; the first lies near 1
    #[arg(long, default_value_t = 100.0, value_parser = toy_scale)]
    toy_scale: f64,
    /// Units of the network's hidden layer
    #[arg(long, default_value_t = 16, value_parser = units)]
    hidden: u64,
    /// Training loss at which the network counts as trained (mean cross-entropy, nats)
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    target_loss: f64,
    /// One learning rate for every network, instead of each arm's own best
    #[arg(long, value_parser = positive)]
    learning_rate: Option<f64>,
}

// ANCHOR: arms
const NETS: [(OptimizerKind, Preparation, Sweep); 4] = [
    (Sgd, Raw, Sweep { arm: "sgd raw", learning_rates: &[1e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 0.01] }),
    (Sgd, Standardised, Sweep { arm: "sgd standardised", learning_rates: &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0] }),
    (Adam, Raw, Sweep { arm: "adam raw", learning_rates: &[1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3] }),
    (Adam, Standardised, Sweep { arm: "adam standardised", learning_rates: &[1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0] }),
];
// ANCHOR_END: arms

impl Chapter for FeatureNormalization {
    const ID: &'static str = "ch01";
    const TITLE: &'static str = "Feature normalization";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 2, 50).with_pilots(1),
            Scale::Book => Protocol::new(scale, 10, 3_000).with_pilots(3),
            Scale::Paper => Protocol::new(scale, 30, 30_000).with_pilots(10),
        }
    }

    fn pilots(&self, protocol: &Protocol) -> Result<Vec<Arm>> {
        let tried = NETS.into_iter().filter(|_| self.learning_rate.is_none());
        let pilots =
            |(rule, features, sweep): (_, _, Sweep)| sweep.pilots(|rate| self.net(rule, features, rate, protocol));
        Ok(tried.flat_map(pilots).collect())
    }

    fn arms(&self, protocol: &Protocol, pilots: &Trials) -> Result<Vec<Arm>> {
        let toy = |scale, preparation| Design { source: Source::Toy { scale }, preparation };
        let table = |table, preparation| Design { source: Source::Table(table), preparation };
        let (scale, part_of_limit, steps) = (self.toy_scale, 0.9, 100);
        let picture = |design, height| ToyLandscape { design, half_width: [2.0, height], part_of_limit, steps };
        let mut arms = vec![
            Arm::exact("toy raw", picture(toy(scale, Raw), 8.0 / scale)),
            Arm::exact("toy raw, ten times the scale", picture(toy(10.0 * scale, Raw), 0.8 / scale)),
            Arm::exact("toy standardised", picture(toy(scale, Standardised), 2.0)),
            Arm::exact("stepping, toy raw", Stepping { design: toy(scale, Raw) }),
            Arm::exact("stepping, toy scaled", Stepping { design: toy(scale, Scaled) }),
            Arm::exact("stepping, table standardised", Stepping { design: table(self.table, Standardised) }),
        ];
        for (data, prefix) in [(self.table, ""), (Table::BreastCancer, "breast cancer ")] {
            let problem = |preparation| Conditioning { design: table(data, preparation) };
            arms.extend(Preparation::ALL.map(|p| Arm::exact(format!("{prefix}{}", p.name()), problem(p))));
        }
        for (rule, features, sweep) in NETS {
            let rate = self.learning_rate.map_or_else(|| sweep.best(pilots, protocol.scale), Ok)?;
            arms.push(Arm::seeded(sweep.arm, self.net(rule, features, rate, protocol)));
        }
        Ok(arms)
    }

    fn claims(&self) -> Vec<Claim> {
        claims::claims()
    }
}

impl FeatureNormalization {
    fn net(
        &self,
        rule: OptimizerKind,
        preparation: Preparation,
        learning_rate: f64,
        protocol: &Protocol,
    ) -> TabularNet {
        let (Self { table, hidden, target_loss, .. }, steps) = (self, protocol.steps);
        let (table, hidden, target_loss, test_fraction) = (*table, *hidden, *target_loss, 0.25);
        TabularNet { table, preparation, hidden, rule, learning_rate, steps, target_loss, test_fraction }
    }
}

normbook::chapter!(FeatureNormalization);
