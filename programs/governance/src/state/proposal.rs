//! A proposal: an action, and who has approved it.
use super::{Authority, RateSet};
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// An approval is not a blank cheque for ever.
pub const PROPOSAL_LIFETIME_S: i64 = 14 * 86_400;

/// What the authority set can decide.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stop new settlements, or allow them again.
    SetPause(bool),
    /// Put rates in force, after the time lock.
    ScheduleRates(RateSet),
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalStatus {
    Open,
    Executed,
}

#[account]
#[derive(InitSpace)]
pub struct Proposal {
    /// Its number, from 0.
    pub index: u64,
    /// What will be done.
    pub action: Action,
    /// Bit i is the approval of the set's member i.
    pub approvals: u8,
    /// The authority set whose members approve.
    pub set_index: u32,
    /// Open until it is executed.
    pub status: ProposalStatus,
    /// The member who made it, and the first to approve.
    pub proposer: Pubkey,
    /// Unix time.
    pub created_at: i64,
    /// Of this account's address.
    pub bump: u8,
}

impl Proposal {
    /// Fails unless the proposal may still be approved and executed.
    pub fn require_live(&self, authority: &Authority, now: i64) -> Result<()> {
        require!(
            self.status == ProposalStatus::Open,
            GovernanceError::ProposalClosed
        );
        require!(
            self.set_index == authority.set_index,
            GovernanceError::ProposalOfOldSet
        );
        let ends = self.created_at.checked_add(PROPOSAL_LIFETIME_S);
        require!(
            now <= ends.ok_or(GovernanceError::Overflow)?,
            GovernanceError::ProposalExpired
        );
        Ok(())
    }

    /// Records the approval of the member at `place`.
    pub fn approve(&mut self, place: u8) -> Result<()> {
        let bit = 1u8
            .checked_shl(u32::from(place))
            .ok_or(GovernanceError::Overflow)?;
        require!(self.approvals & bit == 0, GovernanceError::AlreadyApproved);
        self.approvals |= bit;
        Ok(())
    }

    pub fn approval_count(&self) -> u8 {
        self.approvals.count_ones() as u8
    }
}
