//! The chapters' own tests, and what must hold for each chapter.

#[path = "../../chapters/ch13_group_norm/main.rs"]
mod ch13_group_norm;
