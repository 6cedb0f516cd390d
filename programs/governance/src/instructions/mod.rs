//! One instruction per file: arguments, accounts, `validate`, handler.

mod approve;
mod execute;
mod initialize;
mod propose;

pub use approve::*;
pub use execute::*;
pub use initialize::*;
pub use propose::*;
