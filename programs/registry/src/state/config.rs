//! The registry's config: its registrar, and the number of active participants.
use crate::errors::RegistryError;
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Config {
    /// The key that registers.
    pub registrar: Pubkey,
    /// Number of active participants: those who have a vote in governance.
    pub participant_count: u32,
    /// Lowest proposal index that may still name a registrar.
    pub next_proposal_index: u64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl Config {
    /// Counts a participant who has become active.
    pub fn increment_participants(&mut self) -> Result<()> {
        let more = self.participant_count.checked_add(1);
        self.participant_count = more.ok_or(RegistryError::Overflow)?;
        Ok(())
    }

    /// Counts off a participant who is active no longer.
    pub fn decrement_participants(&mut self) -> Result<()> {
        let less = self.participant_count.checked_sub(1);
        self.participant_count = less.ok_or(RegistryError::Overflow)?;
        Ok(())
    }
}
