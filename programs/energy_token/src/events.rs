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

/// A meter's export in an interval is certified, all of it in one holding of the producer.
#[event]
pub struct CertificateIssued {
    pub certificate: Pubkey,
    pub holding: Pubkey,
    pub meter: Pubkey,
    pub producer: Pubkey,
    pub issuing_body: Pubkey,
    pub production_start: i64,
    pub production_end: i64,
    pub wh: u64,
    pub revision: u16,
}

/// A part of a holding became a holding of its own, of the same holder.
#[event]
pub struct CertificateSliced {
    pub certificate: Pubkey,
    pub holding: Pubkey,
    pub part: Pubkey,
    pub holder: Pubkey,
    pub left_wh: u64,
    pub part_wh: u64,
}

/// A holding has another holder.
#[event]
pub struct CertificateTransferred {
    pub certificate: Pubkey,
    pub holding: Pubkey,
    pub former_holder: Pubkey,
    pub holder: Pubkey,
    pub wh: u64,
}

/// A holding is used up in somebody's favour.
#[event]
pub struct CertificateCancelled {
    pub certificate: Pubkey,
    pub holding: Pubkey,
    pub holder: Pubkey,
    pub wh: u64,
    pub beneficiary: String,
    pub purpose: String,
}
