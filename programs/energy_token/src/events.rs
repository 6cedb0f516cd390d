//! Events that the program emits.
use anchor_lang::prelude::*;

/// The attested export of the interval that starts at Unix second `start_s` was minted.
#[event]
pub struct IntervalMinted {
    pub start_s: i64,
    pub wh: u64,
}

/// The tokens of an interval were burned at its close.
#[event]
pub struct IntervalBurned {
    pub start_s: i64,
    pub wh: u64,
}

/// A certificate was issued on a meter's export in an interval, all of it in one holding of the producer.
#[event]
pub struct CertificateIssued {
    pub certificate: Pubkey,
    pub holding: Pubkey,
    pub meter: Pubkey,
    pub producer: Pubkey,
    pub issuing_body: Pubkey,
    pub production_start_s: i64,
    pub production_end_s: i64,
    pub wh: u64,
    pub revision: u16,
}

/// A part of a holding was sliced off into a holding of its own, of the same holder.
#[event]
pub struct CertificateSliced {
    pub certificate: Pubkey,
    pub holding: Pubkey,
    pub part: Pubkey,
    pub holder: Pubkey,
    pub remaining_wh: u64,
    pub part_wh: u64,
}

/// A holding was transferred.
#[event]
pub struct CertificateTransferred {
    pub certificate: Pubkey,
    pub holding: Pubkey,
    pub former_holder: Pubkey,
    pub holder: Pubkey,
    pub wh: u64,
}

/// A holding was cancelled in the beneficiary's favour.
#[event]
pub struct CertificateCancelled {
    pub certificate: Pubkey,
    pub holding: Pubkey,
    pub holder: Pubkey,
    pub wh: u64,
    pub beneficiary: String,
    pub purpose: String,
}
