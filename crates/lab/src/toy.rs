//! A small trial for the lab's own tests.

use crate::arm::Arm;
use crate::trial::{RunContext, Trace, Trial};
use candle_core::Result;
use normbook_fingerprint::{SourceGraph, SourceNode, Sources};
use serde::Serialize;
use std::collections::BTreeMap;

const SOURCE: &str = "toy.rs";

/// Leaves its learning rate as its loss.
#[derive(Serialize)]
struct Toy {
    learning_rate: f64,
}

impl Trial for Toy {
    const SOURCE: &'static str = SOURCE;

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn run(&self, _: &RunContext) -> Result<Trace> {
        Ok(Trace { values: [("loss".to_owned(), self.learning_rate)].into(), ..Trace::default() })
    }
}

/// An arm of that trial.
pub fn arm(learning_rate: f64) -> Arm {
    Arm::seeded("toy", Toy { learning_rate })
}

/// What its program was compiled from.
pub fn sources() -> Sources {
    let node = SourceNode { hash: "of its tokens".into(), imports: [].into() };
    Sources { graph: SourceGraph([(SOURCE.to_owned(), node)].into()), crates: BTreeMap::new() }
}
