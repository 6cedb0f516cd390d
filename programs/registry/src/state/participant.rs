//! A participant: a wallet that may own meters and trade.
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Participant {
    /// The key that signs deposits, withdrawals and mandates.
    pub wallet: Pubkey,
    /// Where the participant's meters are.
    pub zone: [u8; 16],
    /// 1 active, 2 suspended, 3 retired.
    pub status: u8,
    /// Unix time.
    pub registered_at: i64,
    /// Of this account's address.
    pub bump: u8,
}
