//! What is measured: of a loss, of a net.

pub mod affine;
pub mod alone;
pub mod backward;
pub mod batch_spread;
pub mod conditioning;
pub mod conventions;
pub mod covariate_shift;
pub mod cross_example;
pub mod direction_growth;
pub mod exact;
pub mod explosion;
pub mod gamma_beta;
pub mod gaussian_line;
pub mod generalization;
pub mod gradient_landscape;
pub mod group_ends;
pub mod growth;
pub mod invariances;
pub mod landscape;
pub mod large_step;
pub mod linearity;
pub mod looks;
pub mod mean_field;
pub mod moments;
pub mod nets_of_santurkar;
pub mod objective;
pub mod output_scale;
pub mod percentiles;
pub mod population;
pub mod quadratic;
pub mod rate_sweep;
pub mod readings;
pub mod recovery;
pub mod renorm_identity;
pub mod rescaling;
pub mod singular_values;
pub mod slice;
pub mod stepping;
pub mod study;
pub mod subject;
pub mod testing;
pub mod theory;
pub mod train_eval;
pub mod weight_identities;

#[cfg(test)]
mod fixture;
