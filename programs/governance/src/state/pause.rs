//! The pause switch: while it is on no settlement opens. Withdrawals and settlements that have begun go on.
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Pause {
    /// True while no settlement may open.
    pub paused: bool,
    /// Time of the last change, in Unix seconds.
    pub since_s: i64,
    /// Lowest proposal index that may still decide the pause.
    pub next_proposal_index: u64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl Pause {
    /// Sets the switch by proposal `proposal_index`; fails when a later proposal has set it.
    pub fn decide(&mut self, paused: bool, proposal_index: u64, now_s: i64) -> Result<()> {
        require!(
            proposal_index >= self.next_proposal_index,
            GovernanceError::ProposalOvertaken
        );
        self.next_proposal_index = proposal_index
            .checked_add(1)
            .ok_or(GovernanceError::Overflow)?;
        self.paused = paused;
        self.since_s = now_s;
        Ok(())
    }
}
