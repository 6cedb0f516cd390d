//! A proposal: an action, who has approved it, and how the participants voted when they were asked.
use super::{Action, Authority, Params, Poll};
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// An approval is not a blank cheque for ever.
pub const PROPOSAL_LIFETIME_S: i64 = 14 * 86_400;

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
    /// Unix time since when it has had enough approvals; 0 while it has not.
    pub approved_at: i64,
    /// Unix time; 0 while it is open.
    pub executed_at: i64,
    /// The participants' vote, when they are asked.
    pub poll: Option<Poll>,
    /// Of this account's address.
    pub bump: u8,
}

impl Proposal {
    /// Fails unless it is open and its set is in force. What the participants decide outlives a change of the set.
    pub fn require_open(&self, authority: &Authority) -> Result<()> {
        require!(
            self.status == ProposalStatus::Open,
            GovernanceError::ProposalClosed
        );
        require!(
            self.set_index == authority.set_index || self.binding_poll().is_some(),
            GovernanceError::ProposalOfOldSet
        );
        Ok(())
    }

    /// Fails unless the proposal may still be approved or put to the vote.
    pub fn require_live(&self, authority: &Authority, now: i64) -> Result<()> {
        self.require_open(authority)?;
        let begun = self.poll.map_or(self.created_at, |poll| poll.ends_at);
        require_not_expired(begun, now)
    }

    /// Fails unless it is decided and may be carried out now.
    pub fn require_due(&self, authority: &Authority, params: &Params, now: i64) -> Result<()> {
        self.require_open(authority)?;
        require!(
            self.poll.is_none_or(|poll| now >= poll.ends_at),
            GovernanceError::VoteOpen
        );
        let decided_at = match self.binding_poll() {
            Some(poll) => {
                require!(poll.passed(), GovernanceError::VotedDown);
                poll.ends_at
            }
            None => {
                require!(self.approved_at > 0, GovernanceError::NotEnoughApprovals);
                self.approved_at
            }
        };
        if !self.action.waits() {
            return self.require_live(authority, now);
        }
        let due = decided_at
            .checked_add(params.time_lock_s)
            .ok_or(GovernanceError::Overflow)?;
        require!(now >= due, GovernanceError::TimeLocked);
        require_not_expired(due, now)
    }

    /// Whether another program may act on it: executed, and not so long ago that nobody expects it any more.
    pub fn is_executed(&self, now: i64) -> bool {
        let latest = self.executed_at.saturating_add(PROPOSAL_LIFETIME_S);
        self.status == ProposalStatus::Executed && now <= latest
    }

    pub fn finish(&mut self, now: i64) {
        self.status = ProposalStatus::Executed;
        self.executed_at = now;
    }

    /// Records the approval of the member at `place`.
    pub fn approve(&mut self, place: u8, authority: &Authority, now: i64) -> Result<()> {
        let bit = bit(place)?;
        require!(self.approvals & bit == 0, GovernanceError::AlreadyApproved);
        self.approvals |= bit;
        if self.approved_at == 0 && self.has_enough(authority) {
            self.approved_at = now;
        }
        Ok(())
    }

    /// Takes the approval of the member at `place` back. A decision that loses it begins its time lock anew.
    pub fn revoke(&mut self, place: u8, authority: &Authority) -> Result<()> {
        let bit = bit(place)?;
        require!(self.approvals & bit != 0, GovernanceError::NotApproved);
        self.approvals &= !bit;
        if !self.has_enough(authority) {
            self.approved_at = 0;
        }
        Ok(())
    }

    pub fn approval_count(&self) -> u8 {
        self.approvals.count_ones() as u8
    }

    fn has_enough(&self, authority: &Authority) -> bool {
        self.approval_count() >= authority.threshold.max(self.action.least_approvals())
    }

    fn binding_poll(&self) -> Option<Poll> {
        self.poll.filter(|poll| poll.binding)
    }
}

fn bit(place: u8) -> Result<u8> {
    let bit = 1u8.checked_shl(u32::from(place));
    Ok(bit.ok_or(GovernanceError::Overflow)?)
}

fn require_not_expired(begun: i64, now: i64) -> Result<()> {
    let ends = begun.checked_add(PROPOSAL_LIFETIME_S);
    require!(
        now <= ends.ok_or(GovernanceError::Overflow)?,
        GovernanceError::ProposalExpired
    );
    Ok(())
}
