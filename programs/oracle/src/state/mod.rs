//! Accounts of the program, one file each.

mod config;
mod interval;

pub use config::{require_quorum, Config};
pub use interval::{Interval, CORRECTION_GRACE_S, CORRECTION_S};
