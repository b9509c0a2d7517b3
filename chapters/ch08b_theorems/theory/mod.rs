//! The theorems of Santurkar et al. 2018 (arXiv:1805.11604, §4) on random nets: one unit's outputs y over a batch of m,
//! BatchNorm with constant γ and β, ε = 0, and any smooth loss behind it. Derivatives come from [`hyper_dual`] numbers,
//! which know nothing of BatchNorm, so that the theorems' formulas are on one side of each comparison only.

pub mod by_hand;
pub mod hyper_dual;
pub mod initialization;
pub mod landscape;
pub mod layer;
pub mod net;
pub mod recovery;
pub mod second_form;
pub mod weight_space;
