//! The chapters' own tests.

#[path = "../../chapters/ch01_feature_normalization/main.rs"]
mod ch01_feature_normalization;
#[path = "../../chapters/ch02_inside_the_network/main.rs"]
mod ch02_inside_the_network;
#[path = "../../chapters/ch03_gamma_beta/main.rs"]
mod ch03_gamma_beta;
#[path = "../../chapters/ch04_testing/main.rs"]
mod ch04_testing;
#[path = "../../chapters/ch05_original_paper/main.rs"]
mod ch05_original_paper;
#[path = "../../chapters/ch06_stable_distributions/main.rs"]
mod ch06_stable_distributions;
#[path = "../../chapters/ch07_covariate_shift/main.rs"]
mod ch07_covariate_shift;
#[path = "../../chapters/ch08_landscape/main.rs"]
mod ch08_landscape;
#[path = "../../chapters/ch08b_theorems/main.rs"]
mod ch08b_theorems;
#[path = "../../chapters/ch09_lp_norms/main.rs"]
mod ch09_lp_norms;
#[path = "../../chapters/ch10_batch_renorm/main.rs"]
mod ch10_batch_renorm;
#[path = "../../chapters/ch11_layer_norm/main.rs"]
mod ch11_layer_norm;
#[path = "../../chapters/ch12_instance_norm/main.rs"]
mod ch12_instance_norm;
#[path = "../../chapters/ch13_group_norm/main.rs"]
mod ch13_group_norm;
#[path = "../../chapters/ch14_weight_norm/main.rs"]
mod ch14_weight_norm;
#[path = "../../chapters/ch15_spectral_norm/main.rs"]
mod ch15_spectral_norm;
#[path = "../../chapters/ch16_which_norm/main.rs"]
mod ch16_which_norm;
