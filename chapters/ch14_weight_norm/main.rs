//! # Chapter 14: weight normalization
//!
//! - Claim: writing a unit's weights as w = g v / ‖v‖ improves the conditioning of the optimization problem and speeds up
//!   training; ∇_v L is orthogonal to v, so that ‖v‖ grows and training is robust to the value of the learning rate;
//!   with mean-only BatchNorm it does better than BatchNorm. (Salimans & Kingma 2016, arXiv:1602.07868, abstract, §2.1, §3, §4, §5.1,
//!   Table 2; Hung-yi Lee 2021, "To learn more".)
//! - Protocol: the identities in f64; a ReLU MLP 784-100-100-10 on Fashion-MNIST, batch 64, SGD at rates from 0.01 to 10, with the
//!   same weights without a norm, with weight normalization and with BatchNorm; ‖v‖ of each unit at each step of SGD, of SGD with
//!   weight decay and of Adam; a CNN (8, 16, 32 channels), batch 64, each arm at its own fastest rate, chosen on pilot seeds 1000 and
//!   1001 by the steps to a test accuracy of 70 %.
//! - Measure: differences from the identities; the share of steps at which a ‖v‖ falls; over the rates the largest test accuracy
//!   less the smallest (a diverged run is at chance); steps to 70 %; test accuracy.
//! - Holds if: see `judge`. Floors are those of the plan; no run was made before.
//! - The last layer is not normalized in any arm; weight decay acts on v, not on g.
//! - Differs: the paper trains ConvPool-CNN-C on CIFAR-10 by Adam for 200 epochs.

mod direction_growth;
mod weight_identities;

use anyhow::Result;
use direction_growth::DirectionGrowth;
use normbook::data::dataset::Dataset;
use normbook::data::image_data::ImageData;
use normbook::net::convolutional::SMALL_CNN;
use normbook::norm::NormKind;
use normbook::probe::train_eval::{ACCURACY_EARLY, TrainEval};
use normbook::train::classifier::{Architecture, Classifier, TEST_ACCURACY};
use normbook::train::optimizer::OptimizerKind;
use normbook_lab::cli::parse::batch_size;
use normbook_lab::{Arm, Chapter, Claim, Protocol, Scale, Sweep, Trials, at_least, within};
use weight_identities::WeightIdentities;

/// Weight normalization: direction and length apart
#[derive(clap::Args, serde::Serialize, Clone)]
struct WeightNormalization {
    #[command(flatten)]
    images: ImageData,
    /// Examples of a batch
    #[arg(long, default_value_t = 64, value_parser = batch_size)]
    batch_size: u64,
}

// ANCHOR: arms
/// Of the MLP.
const RATES: [f64; 7] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
const MLPS: [(&str, &str); 3] = [("plain", "none"), ("weight", "weight"), ("batch", "batch")];
const RULES: [(&str, OptimizerKind, f64); 3] =
    [("SGD", OptimizerKind::Sgd, 0.1), ("decay", OptimizerKind::Decay(0.01), 0.1), ("Adam", OptimizerKind::Adam, 1e-3)];
const fn sweep(arm: &'static str) -> Sweep {
    Sweep { arm, learning_rates: &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0] }
}
const CNNS: [(Sweep, &str); 5] = [
    (sweep("cnn plain"), "none"),
    (sweep("cnn weight"), "weight"),
    (sweep("cnn mean"), "mean"),
    (sweep("cnn weight and mean"), "weight:mean"),
    (sweep("cnn batch"), "batch"),
];
// ANCHOR_END: arms

const IDENTITIES: [&str; 5] =
    ["scale_difference", "direction_difference", "projection_difference", "largest_cosine", "growth_difference"];

impl Chapter for WeightNormalization {
    const ID: &'static str = "ch14";
    const TITLE: &'static str = "Weight normalization";
    const SOURCE: &'static str = file!();
    const WORDS: &'static str = include_str!("claims.toml");
    const FIGURES: &'static str = include_str!("figures.toml");

    fn protocol(scale: Scale) -> Protocol {
        match scale {
            Scale::Smoke => Protocol::new(scale, 1, 4).with_pilots(1),
            Scale::Book => Protocol::new(scale, 10, 400).with_pilots(2),
            Scale::Paper => Protocol::new(scale, 20, 20_000).with_pilots(2),
        }
    }

    /// Half the steps decide.
    fn pilots(&self, protocol: &Protocol) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let mut arms = Vec::new();
        for (sweep, norm) in CNNS {
            let norm = norm.parse()?;
            arms.extend(sweep.pilots(|rate| self.cnn(&data, norm, rate, (protocol.steps / 2).max(1))));
        }
        Ok(arms)
    }

    fn arms(&self, protocol: &Protocol, pilots: &Trials) -> Result<Vec<Arm>> {
        let data = self.images.labelled(protocol.scale)?;
        let mut arms = vec![Arm::exact("identities", WeightIdentities)];
        // `drawn`, and what stands below: for the page's questions.
        for (name, norm) in MLPS.into_iter().chain([("drawn", "weight:drawn")]) {
            for rate in RATES {
                arms.push(Arm::seeded(of(name, rate), self.mlp(&data, norm.parse()?, rate, protocol.steps)));
            }
        }
        let mut small = self.mlp(&data, "weight".parse()?, 0.3, protocol.steps);
        small.batch_size = 16;
        arms.push(Arm::seeded("weight in 16s", small));
        for (name, norm) in [MLPS[1], MLPS[2]] {
            arms.push(Arm::seeded(
                format!("{name}, short"),
                self.mlp(&data, norm.parse()?, 0.3, (protocol.steps / 4).max(1)),
            ));
        }
        for (name, rule, rate) in RULES {
            let training = Classifier { rule, ..self.mlp(&data, "weight".parse()?, rate, protocol.steps) };
            arms.push(Arm::seeded(name, DirectionGrowth { training }));
        }
        for (sweep, norm) in CNNS {
            let rate = sweep.best(pilots, protocol.scale)?;
            let training = self.cnn(&data, norm.parse()?, rate, protocol.steps);
            arms.push(Arm::seeded(sweep.arm, TrainEval { training, parts: None }));
        }
        Ok(arms)
    }

    // ANCHOR: judge
    fn judge(&self, trials: &Trials) -> Result<Vec<Claim>> {
        let [abstract_, section_21, section_3, table_2] =
            ["abstract", "§2.1", "§3", "§5.1, Table 2"].map(|place| format!("Salimans & Kingma 2016, {place}"));
        let spread = |name: &str| spread_over_rates(trials, name);
        let robust = |id: &str, norm: &str| -> Result<Claim> {
            let less = spread("plain")?.iter().zip(spread(norm)?).map(|(plain, other)| plain - other).collect();
            let claim = Claim::accuracy(id, at_least(0.05, 0.0)).part("rates 0.01 to 10", less);
            Ok(claim.measuring("largest less smallest test accuracy over the rates, without a norm minus with it"))
        };
        let steps = |arm: &str| trials.steps(arm);
        let (plain, weight) = (steps("cnn plain")?, steps("cnn weight")?);
        let test = |arm| (arm, TEST_ACCURACY);
        let better = |id: &str, one: &str, other: &str| -> Result<Claim> {
            let claim = Claim::accuracy(id, at_least(0.002, 0.0));
            let claim =
                claim.paired(trials, &format!("{one} − {other}"), (one, TEST_ACCURACY), (other, TEST_ACCURACY))?;
            Ok(claim.measuring("difference of test accuracies, each at its own fastest rate"))
        };
        let falls = |arm| trials.samples(arm, "share_of_falls");
        let claims = [
            Claim::ratio("faster", at_least(1.25, 1.0))
                .headline()
                .ratio_of_steps("CNN", &[&plain], &[&weight])
                .says("Weight normalization speeds up training, each net at its own fastest rate", &abstract_)
                .measuring("steps to 70 % test accuracy, without a norm over with weight normalization"),
            robust("rates", "weight")?.says("With weight normalization the learning rate matters less", &section_21),
            robust("rates-batch", "batch")?.says("… as it does with BatchNorm", "ours: a control"),
            Claim::accuracy("as-plain", within(0.0, 0.01))
                .paired(trials, "early", ("cnn weight", ACCURACY_EARLY), ("cnn plain", ACCURACY_EARLY))?
                .paired(trials, "end", test("cnn weight"), test("cnn plain"))?
                .says("Early and at the end the net with weight normalization is as good as that without", &table_2)
                .measuring("test accuracy, weight normalization minus none, each at its own fastest rate"),
            better("batch-plain", "cnn batch", "cnn plain")?.says("BatchNorm is better than none", &table_2),
            better("mean-batch", "cnn weight and mean", "cnn batch")?
                .says("Weight normalization with mean-only BatchNorm is better than BatchNorm", &table_2),
            Claim::difference("grows", within(0.0, 0.0))
                .part("SGD", falls("SGD")?)
                .says("Under plain SGD ‖v‖ never falls", &section_21)
                .measuring("share of steps and units at which ‖v‖ falls by more than 10⁻⁶ of itself"),
            Claim::difference("falls", at_least(0.01, 0.0))
                .part("weight decay 0.01", falls("decay")?)
                .part("Adam", falls("Adam")?)
                .says("With weight decay and with Adam it does", "ours: where the argument ends")
                .measuring("share of steps and units at which ‖v‖ falls by more than 10⁻⁶ of itself"),
        ];
        let mut claims: Vec<Claim> = claims.map(|claim| claim.covering("initial weights and data order")).into();
        claims.extend([
            Claim::exact("identities", within(0.0, 1e-9))
                .values_of(trials, &IDENTITIES, &["identities"])?
                .says("The gradients are those of eq. 3 and 4, v · ∇_v L = 0, and ‖v‖ grows by √(1 + c²)", &section_21)
                .measuring("largest difference, in parts of the largest; largest |cosine|"),
            Claim::exact("start", within(0.0, 1e-3))
                .values_of(trials, &["start_mean", "start_deviation"], &["identities"])?
                .says(
                    "Behind the data-dependent start every unit has mean 0 and deviation 1 on the first batch",
                    &section_3,
                )
                .measuring("largest |mean| and largest |deviation − 1| of a hidden unit, f32"),
        ]);
        Ok(claims)
    }
    // ANCHOR_END: judge
}

impl WeightNormalization {
    fn mlp(&self, data: &Dataset, norm: NormKind, learning_rate: f64, steps: u64) -> Classifier {
        self.net(data, Architecture::Mlp(vec![100; 2]), norm, learning_rate, steps)
    }

    fn cnn(&self, data: &Dataset, norm: NormKind, learning_rate: f64, steps: u64) -> Classifier {
        self.net(data, Architecture::Convolutional(&SMALL_CNN), norm, learning_rate, steps)
    }

    fn net(&self, data: &Dataset, architecture: Architecture, norm: NormKind, rate: f64, steps: u64) -> Classifier {
        let training = Classifier::sgd(data, architecture, norm, rate, self.batch_size as usize, steps);
        Classifier { target_accuracy: 0.7, ..training }
    }
}

/// An arm's name.
fn of(norm: &str, rate: f64) -> String {
    format!("{norm} at {rate}")
}

/// Of each seed the largest test accuracy over the rates less the smallest.
fn spread_over_rates(trials: &Trials, norm: &str) -> Result<Vec<f64>> {
    let of_rates = RATES.iter().map(|rate| trials.samples(&of(norm, *rate), TEST_ACCURACY));
    let of_rates: Vec<Vec<f64>> = of_rates.collect::<Result<_>>()?;
    let of_seed = |seed: usize| {
        let accuracies = of_rates.iter().map(|accuracies| accuracies[seed]);
        accuracies.clone().fold(0.0, f64::max) - accuracies.fold(1.0, f64::min)
    };
    Ok((0..of_rates[0].len()).map(of_seed).collect())
}

normbook::chapter!(WeightNormalization);
