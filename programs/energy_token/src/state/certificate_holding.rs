//! How much of a certificate somebody holds, or has cancelled in somebody's favour.
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct CertificateHolding {
    /// The certificate's account.
    pub certificate: Pubkey,
    /// The wallet that may slice, transfer and cancel.
    pub holder: Pubkey,
    /// What the holder has and may pass on, in Wh.
    pub wh: u64,
    /// What the holder has cancelled, in Wh; it never moves again.
    pub cancelled_wh: u64,
    /// Unix time of the last cancellation; 0 when there is none.
    pub cancelled_at: i64,
    /// In whose favour the last cancellation was made: SHA-256 of the beneficiary's name, zero when there is none.
    pub beneficiary_hash: [u8; 32],
    /// Why: SHA-256 of the stated purpose, zero when there is no cancellation.
    pub purpose_hash: [u8; 32],
    /// First unix second of the consumption that the last cancellation covers; 0 when there is none.
    pub consumption_start: i64,
    /// First unix second after it.
    pub consumption_end: i64,
    /// Of this account's address.
    pub bump: u8,
}
