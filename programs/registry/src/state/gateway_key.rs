//! A gateway's signing key and when it was valid. Never closed: old signatures stay checkable.
use anchor_lang::prelude::*;

/// How far ahead a key may be announced, in seconds.
pub const MAX_LEAD_S: i64 = 30 * 86_400;

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
