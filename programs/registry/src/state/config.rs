//! Who runs the registry.
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Config {
    /// Governance's authority account.
    pub authority: Pubkey,
    /// The key that registers.
    pub registrar: Pubkey,
    /// Of this account's address.
    pub bump: u8,
}
