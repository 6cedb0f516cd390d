//! A set of attestors for the oracle, and the first interval that they attest.
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

pub const MAX_ATTESTORS: usize = 5;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Debug, PartialEq, Eq)]
pub struct AttestorSet {
    /// Keys that may attest, 1 to 5 different ones.
    #[max_len(MAX_ATTESTORS)]
    pub attestors: Vec<Pubkey>,
    /// Attestors that an attestation needs.
    pub threshold: u8,
    /// Start of the first interval that they attest, in Unix seconds.
    pub effective_from_s: i64,
}

impl AttestorSet {
    pub fn invariant(&self) -> Result<()> {
        let keys = &self.attestors;
        let distinct = (0..keys.len()).all(|i| !keys[..i].contains(&keys[i]));
        require!(
            keys.len() <= MAX_ATTESTORS
                && distinct
                && !keys.contains(&Pubkey::default())
                && (1..=keys.len()).contains(&usize::from(self.threshold)),
            GovernanceError::InvalidAttestors
        );
        Ok(())
    }
}
