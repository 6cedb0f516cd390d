//! Events that the program emits.
use anchor_lang::prelude::*;

/// The oracle was initialized with its attestors; intervals last `interval_s` seconds.
#[event]
pub struct OracleFounded {
    pub attestors: Vec<Pubkey>,
    pub threshold: u8,
    pub interval_s: u32,
}

/// The interval that starts at Unix second `start_s` was attested, or corrected when `revision` is above 1.
#[event]
pub struct Attested {
    pub start_s: i64,
    pub revision: u16,
    pub merkle_root: [u8; 32],
    pub import_wh: u64,
    pub export_wh: u64,
}

/// Other attestors were adopted for intervals that start at Unix second `effective_from_s` or later.
#[event]
pub struct AttestorsAdopted {
    pub attestors: Vec<Pubkey>,
    pub threshold: u8,
    pub effective_from_s: i64,
}
