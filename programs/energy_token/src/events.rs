//! What this program tells the world.
use anchor_lang::prelude::*;

/// An interval's attested export became tokens.
#[event]
pub struct IntervalMinted {
    pub start: i64,
    pub wh: u64,
}

/// The tokens of an interval are gone: it is closed.
#[event]
pub struct IntervalBurned {
    pub start: i64,
    pub wh: u64,
}
