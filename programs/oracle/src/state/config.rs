//! The oracle's config: its attestors, and the length of an interval.
use crate::errors::OracleError;
use anchor_lang::prelude::*;
use governance::state::{AttestorSet, MAX_ATTESTORS};

const DAY_S: u32 = 86_400;
/// A new set attests earlier intervals too, and corrects them, this many seconds after it began. Far sooner than
/// corrections end: lost keys must leave no interval unattested beyond the 7 days in which its energy is minted, and
/// stolen ones must not correct for 40 days what was attested before. No set can begin before the last one has taken over.
pub const TAKEOVER_S: i64 = 73 * 3_600;

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
    /// Length of an interval, in seconds.
    pub interval_s: u32,
    /// Attestors of intervals that start at its `effective_from_s` or later.
    pub next: Option<AttestorSet>,
    /// Lowest proposal index that may still name attestors.
    pub next_proposal_index: u64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl Config {
    /// Keys and threshold that attest the interval that starts at `start_s`.
    pub fn attestors_for(&self, start_s: i64, now_s: i64) -> (&[Pubkey], u8) {
        match &self.next {
            Some(next) if start_s >= next.effective_from_s || has_taken_over(next, now_s) => {
                (&next.attestors, next.threshold)
            }
            _ => (&self.attestors, self.threshold),
        }
    }

    /// Makes `set` the next one, by proposal `proposal_index`. One that is not in force yet is replaced.
    pub fn adopt(&mut self, set: AttestorSet, proposal_index: u64, now_s: i64) -> Result<()> {
        let later = proposal_index >= self.next_proposal_index;
        require!(later, OracleError::DecisionOvertaken);
        require!(set.effective_from_s > now_s, OracleError::TooLateToAdopt);
        let start_s = u64::try_from(set.effective_from_s).map_err(|_| OracleError::NotAligned)?;
        require!(
            start_s.is_multiple_of(u64::from(self.interval_s)),
            OracleError::NotAligned
        );
        if let Some(begun) = self.next.take().filter(|s| s.effective_from_s <= now_s) {
            require!(
                has_taken_over(&begun, now_s),
                OracleError::AttestorsChanging
            );
            self.attestors = begun.attestors;
            self.threshold = begun.threshold;
        }
        self.next = Some(set);
        self.next_proposal_index = proposal_index.checked_add(1).ok_or(OracleError::Overflow)?;
        self.invariant()
    }

    pub fn invariant(&self) -> Result<()> {
        require_valid_set(&self.attestors, self.threshold)?;
        if let Some(next) = &self.next {
            require_valid_set(&next.attestors, next.threshold)?;
        }
        require!(
            self.interval_s >= 1 && DAY_S.is_multiple_of(self.interval_s),
            OracleError::InvalidIntervalLength
        );
        Ok(())
    }
}

/// Whether `next` attests earlier intervals too.
fn has_taken_over(next: &AttestorSet, now_s: i64) -> bool {
    now_s > next.effective_from_s.saturating_add(TAKEOVER_S)
}

/// Fails unless every signer is an attestor, none comes twice, and there are enough of them.
pub fn require_quorum<'a>(
    (attestors, threshold): (&[Pubkey], u8),
    signers: impl Iterator<Item = &'a Pubkey>,
) -> Result<()> {
    let mut signed = [false; MAX_ATTESTORS];
    let mut count = 0u8;
    for signer in signers {
        let index = attestors.iter().position(|known| known == signer);
        let index = index.ok_or(OracleError::NotAttestor)?;
        require!(!signed[index], OracleError::DuplicateAttestor);
        signed[index] = true;
        count = count.checked_add(1).ok_or(OracleError::Overflow)?;
    }
    require!(count >= threshold, OracleError::NotEnoughAttestors);
    Ok(())
}

fn require_valid_set(attestors: &[Pubkey], threshold: u8) -> Result<()> {
    let distinct = (0..attestors.len()).all(|i| !attestors[..i].contains(&attestors[i]));
    require!(
        attestors.len() <= MAX_ATTESTORS && distinct && !attestors.contains(&Pubkey::default()),
        OracleError::InvalidAttestors
    );
    require!(
        (1..=attestors.len()).contains(&usize::from(threshold)),
        OracleError::InvalidThreshold
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(from_s: i64, key: u8) -> AttestorSet {
        AttestorSet {
            attestors: vec![Pubkey::new_from_array([key; 32])],
            threshold: 1,
            effective_from_s: from_s,
        }
    }

    fn config() -> Config {
        Config {
            authority: Pubkey::default(),
            attestors: set(0, 1).attestors,
            threshold: 1,
            interval_s: 900,
            next: None,
            next_proposal_index: 0,
            bump: 255,
        }
    }

    fn attestor(config: &Config, start_s: i64, now_s: i64) -> u8 {
        config.attestors_for(start_s, now_s).0[0].to_bytes()[0]
    }

    #[test]
    fn an_intervals_start_says_who_attests_it() {
        let mut config = config();
        config.adopt(set(900, 2), 0, 0).unwrap();
        assert_eq!(attestor(&config, 0, 900 + TAKEOVER_S), 1);
        assert_eq!(attestor(&config, 900, 1_800), 2);
        assert_eq!(attestor(&config, 0, 900 + TAKEOVER_S + 1), 2);
    }

    #[test]
    fn what_has_not_begun_is_replaced_and_what_has_is_waited_for() {
        let mut config = config();
        config.adopt(set(900, 2), 0, 0).unwrap();
        config.adopt(set(1_800, 3), 1, 899).unwrap();
        assert_eq!(attestor(&config, 900, 1_800), 1);
        let later = 1_800 + TAKEOVER_S;
        let distant = (later / 900 + 2) * 900;
        assert!(config.adopt(set(distant, 4), 2, later).is_err());
    }

    #[test]
    fn the_set_before_the_last_is_forgotten() {
        let mut config = config();
        config.adopt(set(900, 2), 0, 0).unwrap();
        let later = 900 + TAKEOVER_S + 1;
        let distant = (later / 900 + 2) * 900;
        config.adopt(set(distant, 3), 1, later).unwrap();
        assert_eq!(attestor(&config, 0, later), 2);
        assert_eq!(attestor(&config, distant, distant + 900), 3);
    }

    #[test]
    fn an_older_decision_names_nobody_any_more() {
        let mut config = config();
        config.adopt(set(900, 2), 5, 0).unwrap();
        assert!(config.adopt(set(900, 3), 5, 0).is_err());
        assert!(config.adopt(set(900, 3), 4, 0).is_err());
    }

    #[test]
    fn attestors_begin_with_an_interval_that_is_still_to_come() {
        for from_s in [i64::MIN, -900, 0, 899, 901] {
            assert!(config().adopt(set(from_s, 2), 0, 0).is_err(), "{from_s}");
        }
    }
}
