//! A gateway's signing key and when it was valid. Never closed: old signatures stay checkable.
//!
//! Its address follows from the key alone, so a key belongs to one gateway for good.
use anchor_lang::prelude::*;

/// How far ahead a key may be announced, in seconds.
pub const MAX_LEAD_S: i64 = 30 * 86_400;
/// How long before its gateway's registration a key may have signed, in seconds: registering takes a moment, and clocks
/// differ. Further back it would make up readings from before the gateway.
pub const MAX_BACKDATE_S: i64 = 3_600;

#[account]
#[derive(InitSpace)]
pub struct GatewayKey {
    /// The gateway's account.
    pub gateway: Pubkey,
    /// Ed25519 public key.
    pub key: Pubkey,
    /// First unix second at which the key may sign.
    pub valid_from: i64,
    /// First unix second at which it may no longer sign; 0 while it has no end.
    pub valid_until: i64,
    /// Of this account's address.
    pub bump: u8,
}
