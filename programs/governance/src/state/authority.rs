//! The authority set: who decides, and how many of them it takes.
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// Approvals are bits of a u8.
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
    /// Counts changes of the set; proposals of an older set are void.
    pub set_index: u32,
    /// Proposals so far, and the number of the next one.
    pub proposals: u64,
    /// Of this account's address.
    pub bump: u8,
}

impl Authority {
    /// The member's place in the set, which is its bit in a proposal's approvals.
    pub fn place_of(&self, member: &Pubkey) -> Result<u8> {
        let place = self.members.iter().position(|known| known == member);
        Ok(place.ok_or(GovernanceError::NotMember)? as u8)
    }

    pub fn invariant(&self) -> Result<()> {
        let members = &self.members;
        let distinct = (0..members.len()).all(|i| !members[..i].contains(&members[i]));
        require!(
            members.len() <= MAX_MEMBERS
                && distinct
                && members.contains(&self.rec_validator)
                && !members.contains(&Pubkey::default()),
            GovernanceError::InvalidMembers
        );
        require!(
            (1..=members.len()).contains(&usize::from(self.threshold)),
            GovernanceError::InvalidThreshold
        );
        Ok(())
    }
}
