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

/// A producer's account was opened.
#[event]
pub struct ProducerOpened {
    pub wallet: Pubkey,
}

/// Certificate `number` of a meter and an interval was issued: `wh` in its holding 0, which is the producer's. Beside
/// them, `withheld_wh` paid the producer's debt.
#[event]
pub struct CertificateIssued {
    pub certificate: Pubkey,
    pub meter: Pubkey,
    pub producer: Pubkey,
    pub production_start_s: i64,
    pub wh: u64,
    pub withheld_wh: u64,
    pub revision: u16,
    pub number: u16,
}

/// A later revision attests `wh` less than is certified of a meter's interval: they are its producer's debt.
#[event]
pub struct ExportTakenBack {
    pub meter: Pubkey,
    pub producer: Pubkey,
    pub production_start_s: i64,
    pub wh: u64,
    pub revision: u16,
    pub debt_wh: u64,
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
