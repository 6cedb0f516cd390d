//! Shared by the five programs: quantities that carry their unit, Merkle trees with their leaves, and the
//! meters' bounds.
//!
//! Plain Rust without accounts or framework, so that it is tested on the host as it runs on chain.

pub mod interval_leaf;
pub mod loader;
pub mod merkle;
pub mod meters;
pub mod quantities;

pub use quantities::{Micros, PriceMills, Wh};
