//! One instruction per file: arguments, accounts, `validate`, handler.

mod attest;
mod initialize;

pub use attest::*;
pub use initialize::*;
