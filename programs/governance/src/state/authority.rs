//! The authority set: its members, and the approvals that a decision needs.
use super::AuthoritySet;
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// Most members: their approvals are bits of a u8.
pub const MAX_MEMBERS: usize = 7;

#[account]
#[derive(InitSpace)]
pub struct Authority {
    /// The REC validator, first among the members: the certificates' issuing body.
    pub rec_validator: Pubkey,
    /// Everyone who may propose and approve, the REC validator included.
    #[max_len(MAX_MEMBERS)]
    pub members: Vec<Pubkey>,
    /// Approvals that an execution needs.
    pub threshold: u8,
    /// Number of changes of the set so far; proposals of an older set are void.
    pub set_index: u32,
    /// Number of proposals so far, and the index of the next one.
    pub proposal_count: u64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl Authority {
    /// The member's index in the set, which is its bit in a proposal's approvals.
    pub fn member_index(&self, member: &Pubkey) -> Result<u8> {
        let index = self.members.iter().position(|known| known == member);
        Ok(index.ok_or(GovernanceError::NotMember)? as u8)
    }

    /// Puts another set in force, which voids the old one's open proposals.
    pub fn change(&mut self, set: AuthoritySet) -> Result<()> {
        self.set_index = self
            .set_index
            .checked_add(1)
            .ok_or(GovernanceError::Overflow)?;
        self.rec_validator = set.rec_validator;
        self.members = set.members;
        self.threshold = set.threshold;
        self.invariant()
    }

    pub fn invariant(&self) -> Result<()> {
        let set = AuthoritySet {
            rec_validator: self.rec_validator,
            members: self.members.clone(),
            threshold: self.threshold,
        };
        set.invariant()
    }
}
