//! One instruction per file: arguments, accounts, `validate`, handler.

mod adopt_attestors;
mod attest;
mod initialize;
mod verify_inclusion;

pub use adopt_attestors::*;
pub use attest::*;
pub use initialize::*;
pub use verify_inclusion::*;
