//! The tests of the operations in `crates/ops`. They name the implementation, so they test the same whatever
//! `NORMBOOK_OPS` is.

mod against_candle;
mod against_differences;
mod against_each_other;
mod against_pytorch;
mod arguments;
mod cases;
mod choice;
mod extremes;
mod layouts;
mod nan;
mod op;
mod pullback;
mod sgd;
mod threads;
