//! A proposal: its action, the members' approvals, and the participants' vote if there is one.
use super::{Action, Authority, Params, Poll};
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// A proposal can be approved and executed for this many seconds: an approval does not hold for ever.
pub const PROPOSAL_LIFETIME_S: i64 = 14 * 86_400;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalStatus {
    Open,
    Executed,
}

#[account]
#[derive(InitSpace)]
pub struct Proposal {
    /// Index of the proposal, from 0.
    pub index: u64,
    /// What the proposal does when it is executed.
    pub action: Action,
    /// Bit i is the approval of the set's member i.
    pub approvals: u8,
    /// Index of the authority set whose members approve.
    pub set_index: u32,
    /// Open until it is executed.
    pub status: ProposalStatus,
    /// The member who proposed it, and the first to approve.
    pub proposer: Pubkey,
    /// Time of the proposal, in Unix seconds.
    pub created_at_s: i64,
    /// Time since when it has enough approvals, in Unix seconds; 0 while it has not.
    pub approved_at_s: i64,
    /// Time of execution, in Unix seconds; 0 while it is open.
    pub executed_at_s: i64,
    /// The participants' vote, if it was put to them.
    pub poll: Option<Poll>,
    /// Bump seed of this account's address.
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
    pub fn require_approvable(&self, authority: &Authority, now_s: i64) -> Result<()> {
        self.require_open(authority)?;
        let begun_at_s = self.poll.map_or(self.created_at_s, |poll| poll.ends_at_s);
        require_not_expired(begun_at_s, now_s)
    }

    /// Fails unless it is decided and may be executed at Unix second `now_s`.
    pub fn require_due(&self, authority: &Authority, params: &Params, now_s: i64) -> Result<()> {
        self.require_open(authority)?;
        require!(
            self.poll.is_none_or(|poll| now_s >= poll.ends_at_s),
            GovernanceError::VoteOpen
        );
        let decided_at_s = match self.binding_poll() {
            Some(poll) => {
                require!(poll.passed(), GovernanceError::VotedDown);
                poll.ends_at_s
            }
            None => {
                require!(self.approved_at_s > 0, GovernanceError::NotEnoughApprovals);
                self.approved_at_s
            }
        };
        if !self.action.needs_time_lock() {
            return self.require_approvable(authority, now_s);
        }
        let due_at_s = decided_at_s
            .checked_add(params.time_lock_s)
            .ok_or(GovernanceError::Overflow)?;
        require!(now_s >= due_at_s, GovernanceError::TimeLocked);
        require_not_expired(due_at_s, now_s)
    }

    /// Whether another program may act on it: it was executed at most `PROPOSAL_LIFETIME_S` ago.
    pub fn is_executed(&self, now_s: i64) -> bool {
        let latest_s = self.executed_at_s.saturating_add(PROPOSAL_LIFETIME_S);
        self.status == ProposalStatus::Executed && now_s <= latest_s
    }

    pub fn mark_executed(&mut self, now_s: i64) {
        self.status = ProposalStatus::Executed;
        self.executed_at_s = now_s;
    }

    /// Records the approval of member `member_index`.
    pub fn approve(&mut self, member_index: u8, authority: &Authority, now_s: i64) -> Result<()> {
        let bit = approval_bit(member_index)?;
        require!(self.approvals & bit == 0, GovernanceError::AlreadyApproved);
        self.approvals |= bit;
        if self.approved_at_s == 0 && self.has_enough_approvals(authority) {
            self.approved_at_s = now_s;
        }
        Ok(())
    }

    /// Revokes the approval of member `member_index`. A decision that loses it begins its time lock anew.
    pub fn revoke(&mut self, member_index: u8, authority: &Authority) -> Result<()> {
        let bit = approval_bit(member_index)?;
        require!(self.approvals & bit != 0, GovernanceError::NotApproved);
        self.approvals &= !bit;
        if !self.has_enough_approvals(authority) {
            self.approved_at_s = 0;
        }
        Ok(())
    }

    pub fn approval_count(&self) -> u8 {
        self.approvals.count_ones() as u8
    }

    fn has_enough_approvals(&self, authority: &Authority) -> bool {
        self.approval_count() >= authority.threshold.max(self.action.min_approvals())
    }

    fn binding_poll(&self) -> Option<Poll> {
        self.poll.filter(|poll| poll.binding)
    }
}

fn approval_bit(member_index: u8) -> Result<u8> {
    let bit = 1u8.checked_shl(u32::from(member_index));
    Ok(bit.ok_or(GovernanceError::Overflow)?)
}

fn require_not_expired(begun_at_s: i64, now_s: i64) -> Result<()> {
    let ends_at_s = begun_at_s.checked_add(PROPOSAL_LIFETIME_S);
    require!(
        now_s <= ends_at_s.ok_or(GovernanceError::Overflow)?,
        GovernanceError::ProposalExpired
    );
    Ok(())
}
