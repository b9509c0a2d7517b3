//! Proof that the operations of `src/ops` are right: each in both its versions, named explicitly, so that the proof is
//! the same whatever `NORMBOOK_OPS` says.

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
