//! Who runs the registry, and how many take part.
use crate::errors::RegistryError;
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Config {
    /// The key that registers.
    pub registrar: Pubkey,
    /// Active participants: who has a vote in governance.
    pub participants: u32,
    /// Proposals with a lower number come too late to name a registrar.
    pub next_proposal: u64,
    /// Of this account's address.
    pub bump: u8,
}

impl Config {
    /// Counts a participant who became active.
    pub fn count_in(&mut self) -> Result<()> {
        let more = self.participants.checked_add(1);
        self.participants = more.ok_or(RegistryError::Overflow)?;
        Ok(())
    }

    /// Counts a participant who is active no longer.
    pub fn count_out(&mut self) -> Result<()> {
        let less = self.participants.checked_sub(1);
        self.participants = less.ok_or(RegistryError::Overflow)?;
        Ok(())
    }
}
