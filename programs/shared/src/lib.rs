//! What the five programs have in common: quantities that carry their unit, and Merkle trees.
//!
//! Plain Rust without accounts or framework, so that it is tested on the host as it runs on chain.

pub mod loader;
pub mod merkle;
pub mod quantities;

pub use quantities::{Micros, PriceMills, Wh};
