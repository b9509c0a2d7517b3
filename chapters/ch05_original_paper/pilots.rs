//! The pilots, and the choice that they allow.

use super::{BASE, INITS, NORMS};
use anyhow::{Result, ensure};
use normbook::net::layer::Weights::Deviation;
use normbook::norm::NormKind;
use normbook::train::paper_mlp::{PaperMlp, part};
use normbook_lab::{Arm, Scale, Sweep, Trials, best_of};

/// Makes the pilots: half the steps decide on the sigmoid networks, a quarter on the ReLU network.
pub fn pilots(net: &PaperMlp) -> Vec<Arm> {
    let sigmoids = NORMS.iter().flat_map(|(_, norm, sweeps)| {
        let of = |(sweep, init): (&Sweep, f64)| sweep.pilots(|rate| part(net.sigmoid(*norm, Deviation(init), rate), 2));
        sweeps.iter().zip(INITS).flat_map(of).collect::<Vec<_>>()
    });
    let relus = BASE.pilots(|rate| part(net.relu(NormKind::None, rate), 4));
    sigmoids.chain(relus).collect()
}

/// Returns the init and the rate at which the pilots reach the target first. Errors where either lies at its grid's
/// edge.
pub fn best_init(sweeps: &[Sweep; 4], pilots: &Trials, scale: Scale) -> Result<(f64, f64)> {
    let (which, rate) = best_of(sweeps, pilots, scale)?;
    let inside = (1..INITS.len() - 1).contains(&which) || scale == Scale::Smoke;
    ensure!(inside, "{}: the best init lies at its grid's edge: widen INITS", sweeps[which].arm);
    Ok((INITS[which], rate))
}
