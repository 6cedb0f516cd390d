//! Who attests, and how long an interval is.
use crate::errors::OracleError;
use anchor_lang::prelude::*;

pub const MAX_ATTESTORS: usize = 5;
const DAY_S: u32 = 86_400;

#[account]
#[derive(InitSpace)]
pub struct Config {
    /// Governance's authority account.
    pub authority: Pubkey,
    /// Keys that may attest.
    #[max_len(MAX_ATTESTORS)]
    pub attestors: Vec<Pubkey>,
    /// Attestors that an attestation needs.
    pub threshold: u8,
    /// Length of an interval in seconds.
    pub interval_s: u32,
    /// Of this account's address.
    pub bump: u8,
}

impl Config {
    /// Fails unless every signer is an attestor, none comes twice, and there are enough of them.
    pub fn require_quorum<'a>(&self, signers: impl Iterator<Item = &'a Pubkey>) -> Result<()> {
        let mut signed = [false; MAX_ATTESTORS];
        let mut count = 0u8;
        for signer in signers {
            let place = self.attestors.iter().position(|known| known == signer);
            let place = place.ok_or(OracleError::NotAttestor)?;
            require!(!signed[place], OracleError::DuplicateAttestor);
            signed[place] = true;
            count = count.checked_add(1).ok_or(OracleError::Overflow)?;
        }
        require!(count >= self.threshold, OracleError::NotEnoughAttestors);
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        let attestors = &self.attestors;
        let distinct = (0..attestors.len()).all(|i| !attestors[..i].contains(&attestors[i]));
        require!(
            attestors.len() <= MAX_ATTESTORS && distinct && !attestors.contains(&Pubkey::default()),
            OracleError::InvalidAttestors
        );
        require!(
            (1..=attestors.len()).contains(&usize::from(self.threshold)),
            OracleError::InvalidThreshold
        );
        require!(
            self.interval_s >= 1 && DAY_S.is_multiple_of(self.interval_s),
            OracleError::InvalidIntervalLength
        );
        Ok(())
    }
}
