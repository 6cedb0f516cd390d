//! Members and threshold of an authority set, as they are in force or proposed.
use super::MAX_MEMBERS;
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Debug, PartialEq, Eq)]
pub struct AuthoritySet {
    /// The REC validator: the certificates' issuing body.
    pub rec_validator: Pubkey,
    /// Everyone who may propose and approve, the REC validator included.
    #[max_len(MAX_MEMBERS)]
    pub members: Vec<Pubkey>,
    /// Approvals that an execution needs.
    pub threshold: u8,
}

impl AuthoritySet {
    /// Fails unless the signers are different members of the set, at least `threshold` of them.
    pub fn require_acceptance(&self, signers: &[AccountInfo]) -> Result<()> {
        let mut signed = [false; MAX_MEMBERS];
        let mut count = 0;
        for signer in signers {
            let index = self.members.iter().position(|known| known == signer.key);
            let index = index.filter(|_| signer.is_signer);
            let index = index.ok_or(GovernanceError::NotNewMember)?;
            require!(!signed[index], GovernanceError::AlreadyApproved);
            signed[index] = true;
            count += 1;
        }
        require!(
            count >= usize::from(self.threshold),
            GovernanceError::NotAccepted
        );
        Ok(())
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
