//! Accounts of the program, one per file.

mod config;
mod interval;

pub use config::{require_quorum, Config};
pub use interval::{Interval, CORRECTIONS_END_S, CORRECTION_S};
