//! A participant's vote. Its address follows from proposal and wallet, so nobody votes twice.
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Vote {
    /// The proposal's number.
    pub proposal: u64,
    /// Who voted.
    pub wallet: Pubkey,
    /// For it, or against it.
    pub yes: bool,
    /// Unix time.
    pub voted_at: i64,
    /// Of this account's address.
    pub bump: u8,
}
