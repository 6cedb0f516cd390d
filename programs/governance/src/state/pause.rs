//! Whether new settlements may open. Nothing else ever stops: not withdrawals, not a settlement that has begun.
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Pause {
    /// True while no settlement may open.
    pub paused: bool,
    /// Unix time of the last change.
    pub since: i64,
    /// Proposals with a lower number come too late to decide the pause.
    pub next_proposal: u64,
    /// Of this account's address.
    pub bump: u8,
}

impl Pause {
    /// Follows proposal number `index`, unless a later one has spoken.
    pub fn decide(&mut self, paused: bool, index: u64, now: i64) -> Result<()> {
        require!(
            index >= self.next_proposal,
            GovernanceError::ProposalOvertaken
        );
        self.next_proposal = index.checked_add(1).ok_or(GovernanceError::Overflow)?;
        self.paused = paused;
        self.since = now;
        Ok(())
    }
}
