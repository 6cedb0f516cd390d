//! Accounts of the program, one per file.

mod config;
mod interval;

pub use config::{require_quorum, Config, TAKEOVER_S};
pub use interval::{Interval, CORRECTIONS_END_S, CORRECTION_S};
