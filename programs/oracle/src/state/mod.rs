//! Accounts of the program, one file each.

mod config;
mod interval;

pub use config::{Config, MAX_ATTESTORS};
pub use interval::{Interval, CORRECTION_GRACE_S, CORRECTION_S};
