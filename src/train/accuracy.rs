//! How many examples a network classifies correctly.

use crate::data::dataset::Split;
use crate::net::Net;
use crate::norm::Pass;
use candle_core::Result;

/// The accuracy on the test images at the end; of a diverged run, that of guessing.
pub const TEST_ACCURACY: &str = "test_accuracy";

/// Examples that go through the network at a time.
const BATCH: usize = 1000;

/// Computes the fraction of the examples that the network classifies correctly in evaluation mode.
pub fn accuracy(net: &dyn Net, examples: &Split) -> Result<f64> {
    accuracy_in_batches(net, examples, BATCH, Pass::EVAL)
}

/// Computes the same in batches of one size and in another mode. The last, smaller batch counts, too.
pub fn accuracy_in_batches(net: &dyn Net, examples: &Split, size: usize, pass: Pass) -> Result<f64> {
    let mut right = 0.0;
    for start in (0..examples.len()).step_by(size) {
        let batch = examples.narrow(start, size.min(examples.len() - start))?;
        right += batch.right(&net.forward(&batch.inputs, pass)?)?;
    }
    Ok(right / examples.len() as f64)
}
