//! The loss over a plane through a trained net: the picture of a landscape that can be drawn (Li et al. 2018,
//! arXiv:1712.09913, §4).
//!
//! d ← d ‖w‖ / ‖d‖    filter by filter, eq. 1
//!
//! The plane is spanned by two random directions d, each filter of which is made as long as the net's: behind a
//! normalization the size of a filter means nothing, so that a fixed distance would be a large step for a small filter.
//! Biases, γ and β stay where they are, as in the authors' code.

use candle_core::{Result, Tensor, Var};
use normbook::probe::objective::{Objective, Position};
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook::train::training::Snapshot;
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{Grid, RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The mean of the loss on the rim, over the directions, less that in the middle (nats).
pub const RISE: &str = "rise_to_rim";

/// The trial: trains a classifier and walks over the plane around its end.
#[derive(Clone, Serialize)]
pub struct Slice {
    pub training: Classifier,
    /// Training images that the loss is taken on, in one batch, as training sees it.
    pub examples: usize,
    /// How far the plane goes to each side, in lengths of the filters.
    pub reach: f64,
    /// Points from the middle to a side.
    pub points: usize,
}

impl Trial for Slice {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: grid `loss` (nats) over the plane; value [`RISE`].
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let axis = self.axis();
        // Row by row, as a plane through a large net takes minutes.
        let options = TrainOptions { last_looks: axis.len() as u64, ..TrainOptions::default() };
        let mut plane = None;
        self.training.train(options, context, &mut Vec::new(), |z, snapshot, trace| {
            if snapshot.step < self.training.steps {
                return Ok(());
            }
            let plane = match &mut plane {
                Some(plane) => plane,
                none => none.insert(Plane::through(snapshot)?),
            };
            z.extend(self.row(plane, snapshot, axis[snapshot.look as usize])?);
            if z.len() == axis.len() * axis.len() {
                let grid = Grid { x: axis.clone(), y: axis.clone(), z: z.clone() };
                trace.values.insert(RISE.into(), rise(&grid));
                trace.grids.insert("loss".into(), grid);
            }
            Ok(())
        })
    }
}

/// Two directions, `right` and `up`, by parameter.
struct Plane {
    right: Vec<Tensor>,
    up: Vec<Tensor>,
}

impl Plane {
    fn through(snapshot: &Snapshot) -> Result<Self> {
        let along = |index| direction(&snapshot.net.parameters(), snapshot.seed, index);
        Ok(Self { right: along(0)?, up: along(1)? })
    }
}

impl Slice {
    /// How far to each side the points are.
    fn axis(&self) -> Vec<f64> {
        let count = self.points as i64;
        (-count..=count).map(|index| self.reach * index as f64 / count as f64).collect()
    }

    /// The losses at the height `y`.
    fn row(&self, Plane { right, up }: &Plane, snapshot: &Snapshot, y: f64) -> Result<Vec<f64>> {
        let batch = snapshot.train.narrow(0, self.examples.min(snapshot.train.len()))?;
        let objective = Objective::new(snapshot.net, &batch, snapshot.step, snapshot.seed);
        let position = Position::of(snapshot.net.parameters())?;
        let mut losses = Vec::new();
        for x in self.axis() {
            let both: Vec<Tensor> =
                right.iter().zip(up).map(|(right, up)| (right * x)? + (up * y)?).collect::<Result<_>>()?;
            position.step(&both, -1.0)?;
            let loss = objective.loss()?;
            losses.push(if loss.is_finite() { loss } else { f64::from(f32::MAX) });
        }
        position.restore()?;
        Ok(losses)
    }
}

// ANCHOR: direction
/// A random direction, each filter as long as the net's.
fn direction(parameters: &[Var], seed: Seed, index: u64) -> Result<Vec<Tensor>> {
    let mut stream = seed.branch(index).stream(Purpose::Probe, 0);
    let of = |parameter: &Var| -> Result<Tensor> {
        if parameter.rank() < 2 {
            return parameter.zeros_like();
        }
        let drawn = stream.normal_tensor(parameter.shape(), 1.0, parameter.device())?;
        let length = |tensor: &Tensor| tensor.flatten_from(1)?.sqr()?.sum_keepdim(1)?.sqrt();
        let factor = (length(parameter)? / length(&drawn)?)?;
        drawn.flatten_from(1)?.broadcast_mul(&factor)?.reshape(parameter.shape())
    };
    parameters.iter().map(of).collect()
}
// ANCHOR_END: direction

/// The mean over the border of a square grid, less the middle.
fn rise(grid: &Grid) -> f64 {
    let side = grid.x.len();
    let on_border = |index: &usize| [index % side, index / side].iter().any(|place| [0, side - 1].contains(place));
    let border: Vec<f64> = (0..side * side).filter(on_border).map(|index| grid.z[index]).collect();
    border.iter().sum::<f64>() / border.len() as f64 - grid.z[side * side / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::norm::NormKind;
    use normbook::testing::classifier;
    use normbook_lab::testing::ended_and_resumed;
    use normbook_lab::trial::FINAL_LOSS;

    fn slice(norm: NormKind, reach: f64) -> Slice {
        Slice { training: classifier(norm), examples: 60, reach, points: 2 }
    }

    #[test]
    fn the_net_is_left_as_it_was_and_the_middle_is_its_loss() {
        for norm in [NormKind::None, NormKind::BATCH] {
            let (one, other) = (slice(norm, 1.0), slice(norm, 0.5));
            let [one, other] = [one, other].map(|slice| slice.run_alone(Seed(4), &Device::Cpu).unwrap());
            let plain = classifier(norm).run_alone(Seed(4), &Device::Cpu).unwrap();
            assert_eq!(one.values[FINAL_LOSS], plain.values[FINAL_LOSS]);
            let (far, near) = (&one.grids["loss"], &other.grids["loss"]);
            assert_eq!((far.x.as_slice(), far.z.len()), (&[-1.0, -0.5, 0.0, 0.5, 1.0][..], 25));
            assert_eq!(far.z[12], near.z[12]);
            // Half as far in twice as fine steps are the same places.
            assert_eq!(far.z[6], near.z[0]);
            assert!(one.values[RISE] > other.values[RISE]);
        }
    }

    /// In the training, and behind the first row of the plane.
    #[test]
    fn it_goes_on_where_it_was_ended() {
        let slice = slice(NormKind::BATCH, 1.0);
        let whole = slice.run_alone(Seed(4), &Device::Cpu).unwrap();
        assert!([5, 10].iter().all(|at| ended_and_resumed(&slice, Seed(4), *at) == whole));
    }

    #[test]
    fn each_filter_of_a_direction_is_as_long_as_the_nets() {
        let net = classifier(NormKind::BATCH).net(Seed(1), &Device::Cpu).unwrap();
        let parameters = net.parameters();
        let drawn = [0, 1].map(|index| direction(&parameters, Seed(1), index).unwrap());
        for (parameter, direction) in parameters.iter().zip(&drawn[0]) {
            let lengths = |tensor: &Tensor| tensor.sqr().unwrap().sum(tensor.rank() - 1).unwrap().to_vec1::<f32>();
            if parameter.rank() == 2 {
                let pairs = lengths(parameter).unwrap().into_iter().zip(lengths(direction).unwrap());
                assert!(pairs.into_iter().all(|(one, other)| (one / other - 1.0).abs() < 1e-3));
            } else {
                assert_eq!(direction.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap(), 0.0);
            }
        }
        let [one, other] =
            [&drawn[0][0], &drawn[1][0]].map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        assert_ne!(one, other);
    }

    #[test]
    fn the_rise_is_that_of_the_border() {
        let z = vec![1.0, 1.0, 1.0, 1.0, 0.25, 1.0, 1.0, 1.0, 1.0];
        let axis = vec![-1.0, 0.0, 1.0];
        assert_eq!(rise(&Grid { x: axis.clone(), y: axis, z }), 0.75);
    }
}
