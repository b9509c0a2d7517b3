//! # Chapter 1: feature normalization
//!
//! - Claim: "In general, feature normalization makes gradient descent converge faster." (Hung-yi Lee 2021, slide
//!   "Feature Normalization"; LeCun et al. 1998, Efficient BackProp, §4.3.)
//! - Protocol: least squares on a table, from w = 0, four preparations; then a ReLU net on raw and standardised features.
//! - Measure: condition number κ of XᵀX/N; steps to 1 % of the initial excess loss (f64, closed form); steps of the net to
//!   a target training loss at each arm's best learning rate, chosen on pilot seeds 1000 to 1002, judged on 0 to 9.
//! - Holds if: see `judge`; the headline holds if standardising saves at least 99 of 100 steps to 1 %.
//! - Differs: the slides sketch a landscape and show no data; the toy, the tables and the nets are ours.

mod conditioning;
mod landscape;
mod quadratic;
mod stepping;

use anyhow::Result;
use conditioning::{Conditioning, steps_name};
use landscape::ToyLandscape;
use normbook::data::design::{Design, Source};
use normbook::data::standardize::Preparation::{self, Raw, Scaled, Standardised};
use normbook::data::tabular::Table;
use normbook::train::optimizer::OptimizerKind::{self, Adam, Sgd};
use normbook::train::tabular::TabularNet;
use normbook_lab::cli::parse::{positive, toy_scale, units};
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Sweep, Trials, at_least, within};
use stepping::Stepping;

/// Feature normalization makes gradient descent converge faster
#[derive(clap::Args, serde::Serialize, Clone)]
struct FeatureNormalization {
    /// Table that least squares and the net are trained on
    #[arg(long, value_enum, default_value = "wine")]
    table: Table,
    /// Where the second input of the lecture's toy lies; the first lies near 1
    #[arg(long, default_value_t = 100.0, value_parser = toy_scale)]
    toy_scale: f64,
    /// Units of the net's hidden layer
    #[arg(long, default_value_t = 16, value_parser = units)]
    hidden: u64,
    /// Training loss of the net that counts as trained (mean cross-entropy, nats)
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    target_loss: f64,
    /// One learning rate for every net, instead of each arm's own best
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

    // ANCHOR: judge
    fn judge(&self, trials: &Trials) -> Result<Vec<Claim>> {
        let (raw, standardised) = (&trials.steps("sgd raw")?, &trials.steps("sgd standardised")?);
        let (adam_raw, adam_standardised) = (&trials.steps("adam raw")?, &trials.steps("adam standardised")?);
        let (lecture, efficient) = ("Hung-yi Lee 2021, Feature Normalization", "LeCun et al. 1998, §4.3");
        let (textbook, ours) = ("textbook: gradient descent on a quadratic", "ours: where does \"in general\" end?");
        let covers = "initial weights and the split into training and test examples";
        let stepped = ["stepping, toy raw", "stepping, toy scaled", "stepping, table standardised"];
        Ok(vec![
            Claim::exact("steps", at_least(100.0, 1.0))
                .headline()
                .says("Standardised features need far fewer steps of gradient descent", lecture)
                .measuring("steps to 1 % of the initial excess loss at the best learning rate, raw over standardised")
                .ratios(trials, &steps_name(1), "raw", &["standardised"])?,
            Claim::exact("rate", within(1.0, 0.01))
                .says("From the worst start the error shrinks by (κ − 1)/(κ + 1) a step", textbook)
                .measuring("logarithm of the measured rate over that of the theoretical one")
                .values(trials, "log_rate_ratio", &stepped)?,
            Claim::exact("closed-form", within(0.0, 1e-9))
                .says("The closed form in the eigenbasis is what stepping gives", textbook)
                .measuring("largest difference over all steps, in parts of the initial excess loss")
                .values(trials, "largest_difference", &stepped)?,
            Claim::exact("condition", at_least(100.0, 1.0))
                .says("Centring, scaling and both lower the condition number by orders of magnitude", efficient)
                .measuring("condition number of XᵀX/N, raw over prepared")
                .ratios(trials, "condition_number", "raw", &["centred", "scaled", "standardised"])?,
            Claim::exact("whitening", at_least(1000.0, 1.0))
                .says("Standardising is not whitening: correlated features stay badly conditioned", efficient)
                .measuring("condition number after standardising (after whitening: 1)")
                .values(trials, "condition_number", &["breast cancer standardised"])?,
            Claim::ratio("net", at_least(10.0, 1.0))
                .says("A small net trained by gradient descent needs fewer steps on standardised features", lecture)
                .measuring("steps to the target loss at the best learning rate, raw over standardised")
                .covering(covers)
                .ratio_of_steps("gradient descent", &[raw], &[standardised]),
            Claim::ratio("adam", at_least(2.0, 1.0))
                .says("With Adam, an adaptive optimizer, the advantage is smaller", ours)
                .measuring("steps, raw over standardised: the ratio under gradient descent over the ratio under Adam")
                .covering(covers)
                .ratio_of_steps("both", &[raw, adam_standardised], &[standardised, adam_raw]),
        ])
    }
    // ANCHOR_END: judge
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
