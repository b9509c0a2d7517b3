//! What is measured: of a loss, of a net.

pub mod benchmark;
pub mod covariate_shift;
pub mod exact;
pub mod gradient_landscape;
pub mod moments;
pub mod norm_profile;
pub mod objective;
pub mod probe_schedule;
pub mod probed_training;
pub mod rate_sweep;
pub mod readings;
pub mod santurkar;
pub mod singular_values;
pub mod subject;
pub mod train_eval;
