//! One instruction per file: arguments, accounts, `validate`, handler.

mod burn_interval;
mod initialize;
mod mint_interval;

pub use burn_interval::*;
pub use initialize::*;
pub use mint_interval::*;
