//! What this program tells the world.
use anchor_lang::prelude::*;

/// The attestors were named.
#[event]
pub struct OracleFounded {
    pub attestors: Vec<Pubkey>,
    pub threshold: u8,
    pub interval_s: u32,
}

/// An interval was attested, or corrected when `revision` is above 1.
#[event]
pub struct Attested {
    pub start: i64,
    pub revision: u16,
    pub merkle_root: [u8; 32],
    pub import_wh: u64,
    pub export_wh: u64,
}

/// Other attestors attest intervals that start at `effective_from` or later.
#[event]
pub struct AttestorsAdopted {
    pub attestors: Vec<Pubkey>,
    pub threshold: u8,
    pub effective_from: i64,
}
