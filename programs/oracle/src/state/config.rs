//! Who attests, and how long an interval is.
use super::{CORRECTION_GRACE_S, CORRECTION_S};
use crate::errors::OracleError;
use anchor_lang::prelude::*;
use governance::state::{AttestorSet, MAX_ATTESTORS};

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
    /// Who attests intervals that start at its `effective_from` or later.
    pub next: Option<AttestorSet>,
    /// Proposals with a lower number come too late to name attestors.
    pub next_proposal: u64,
    /// Of this account's address.
    pub bump: u8,
}

impl Config {
    /// Keys and threshold that attest an interval. The set before attests its own intervals until their corrections end;
    /// what it has left by then, the next one attests, so that lost keys leave no interval without an attestation.
    pub fn in_force(&self, start: i64, now: i64) -> (&[Pubkey], u8) {
        match &self.next {
            Some(next) if start >= next.effective_from || is_over(next.effective_from, now) => {
                (&next.attestors, next.threshold)
            }
            _ => (&self.attestors, self.threshold),
        }
    }

    /// Makes `set` the next one, by proposal number `index`. One that has not begun is replaced.
    pub fn adopt(&mut self, set: AttestorSet, index: u64, now: i64) -> Result<()> {
        require!(index >= self.next_proposal, OracleError::DecisionOvertaken);
        require!(set.effective_from > now, OracleError::TooLateToAdopt);
        let start = u64::try_from(set.effective_from).map_err(|_| OracleError::NotAligned)?;
        require!(
            start.is_multiple_of(u64::from(self.interval_s)),
            OracleError::NotAligned
        );
        if let Some(begun) = self.next.take().filter(|next| next.effective_from <= now) {
            require!(
                is_over(begun.effective_from, now),
                OracleError::AttestorsChanging
            );
            self.attestors = begun.attestors;
            self.threshold = begun.threshold;
        }
        self.next = Some(set);
        self.next_proposal = index.checked_add(1).ok_or(OracleError::Overflow)?;
        self.invariant()
    }

    pub fn invariant(&self) -> Result<()> {
        require_sound(&self.attestors, self.threshold)?;
        if let Some(next) = &self.next {
            require_sound(&next.attestors, next.threshold)?;
        }
        require!(
            self.interval_s >= 1 && DAY_S.is_multiple_of(self.interval_s),
            OracleError::InvalidIntervalLength
        );
        Ok(())
    }
}

/// Whether the attestors before those who began at `from` have nothing left to say.
fn is_over(from: i64, now: i64) -> bool {
    now > from.saturating_add(CORRECTION_S + CORRECTION_GRACE_S)
}

/// Fails unless every signer is an attestor, none comes twice, and there are enough of them.
pub fn require_quorum<'a>(
    (attestors, threshold): (&[Pubkey], u8),
    signers: impl Iterator<Item = &'a Pubkey>,
) -> Result<()> {
    let mut signed = [false; MAX_ATTESTORS];
    let mut count = 0u8;
    for signer in signers {
        let place = attestors.iter().position(|known| known == signer);
        let place = place.ok_or(OracleError::NotAttestor)?;
        require!(!signed[place], OracleError::DuplicateAttestor);
        signed[place] = true;
        count = count.checked_add(1).ok_or(OracleError::Overflow)?;
    }
    require!(count >= threshold, OracleError::NotEnoughAttestors);
    Ok(())
}

fn require_sound(attestors: &[Pubkey], threshold: u8) -> Result<()> {
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

    const OVER_S: i64 = CORRECTION_S + CORRECTION_GRACE_S;

    fn set(from: i64, key: u8) -> AttestorSet {
        AttestorSet {
            attestors: vec![Pubkey::new_from_array([key; 32])],
            threshold: 1,
            effective_from: from,
        }
    }

    fn config() -> Config {
        Config {
            authority: Pubkey::default(),
            attestors: set(0, 1).attestors,
            threshold: 1,
            interval_s: 900,
            next: None,
            next_proposal: 0,
            bump: 255,
        }
    }

    fn attestor(config: &Config, start: i64, now: i64) -> u8 {
        config.in_force(start, now).0[0].to_bytes()[0]
    }

    #[test]
    fn an_intervals_start_says_who_attests_it() {
        let mut config = config();
        config.adopt(set(900, 2), 0, 0).unwrap();
        assert_eq!(attestor(&config, 0, 900 + OVER_S), 1);
        assert_eq!(attestor(&config, 900, 1_800), 2);
        assert_eq!(attestor(&config, 0, 900 + OVER_S + 1), 2);
    }

    #[test]
    fn what_has_not_begun_is_replaced_and_what_has_is_waited_for() {
        let mut config = config();
        config.adopt(set(900, 2), 0, 0).unwrap();
        config.adopt(set(1_800, 3), 1, 899).unwrap();
        assert_eq!(attestor(&config, 900, 1_800), 1);
        let later = 1_800 + OVER_S;
        let distant = (later / 900 + 2) * 900;
        assert!(config.adopt(set(distant, 4), 2, later).is_err());
    }

    #[test]
    fn the_set_before_the_last_is_forgotten() {
        let mut config = config();
        config.adopt(set(900, 2), 0, 0).unwrap();
        let later = 900 + OVER_S + 1;
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
        for from in [i64::MIN, -900, 0, 899, 901] {
            assert!(config().adopt(set(from, 2), 0, 0).is_err(), "{from}");
        }
    }
}
