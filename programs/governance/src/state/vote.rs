//! A participant's vote. Its address follows from proposal and wallet, so nobody votes twice.
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Vote {
    /// Index of the proposal.
    pub proposal_index: u64,
    /// The voter's wallet.
    pub wallet: Pubkey,
    /// True for the proposal, false against it.
    pub yes: bool,
    /// Time of the vote, in Unix seconds.
    pub voted_at_s: i64,
    /// Bump seed of this account's address.
    pub bump: u8,
}
