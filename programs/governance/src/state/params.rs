//! The parameters that settlement reads, with their history and what is scheduled.
use super::{RateSet, VoteRules};
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

const MAX_RATE_SETS: usize = 8;
/// Rates replaced this long ago price no interval that can still be settled.
const RETAIN_S: i64 = 3 * 86_400;
pub const MIN_TIME_LOCK_S: i64 = 48 * 3_600;
pub const MAX_TIME_LOCK_S: i64 = 90 * 86_400;
/// How far behind the time lock rates may be scheduled: a year.
pub const MAX_AHEAD_S: i64 = 366 * 86_400;

#[account]
#[derive(InitSpace)]
pub struct Params {
    /// Ascending by `effective_from`: what was in force, is, and will be.
    #[max_len(MAX_RATE_SETS)]
    pub rate_sets: Vec<RateSet>,
    /// Seconds between a decision and its effect, at least.
    pub time_lock_s: i64,
    /// How participants vote.
    pub votes: VoteRules,
    /// Of this account's address.
    pub bump: u8,
}

impl Params {
    /// The rates in force at unix time `at`: the last that were effective by then.
    pub fn rates_at(&self, at: i64) -> Option<RateSet> {
        let effective = |rates: &&RateSet| rates.effective_from <= at;
        self.rate_sets.iter().rev().find(effective).copied()
    }

    /// Puts rates in force outside the time lock. The last decision holds: what was to take effect then or later, and so
    /// lies outside the time lock as well, is replaced.
    pub fn schedule(&mut self, rates: RateSet, now: i64) -> Result<()> {
        let (soonest, latest) = self.effects(now)?;
        require!(
            rates.effective_from >= soonest,
            GovernanceError::RatesTooSoon
        );
        require!(rates.effective_from <= latest, GovernanceError::RatesTooFar);
        self.rate_sets
            .retain(|set| set.effective_from < rates.effective_from);
        self.forget(now);
        require!(
            self.rate_sets.len() < MAX_RATE_SETS,
            GovernanceError::TooManyRates
        );
        self.rate_sets.push(rates);
        Ok(())
    }

    /// Fails unless attestors who begin at `from` do so outside the time lock, and within a year after it.
    pub fn require_attestors_at(&self, from: i64, now: i64) -> Result<()> {
        let (soonest, latest) = self.effects(now)?;
        require!(
            (soonest..=latest).contains(&from),
            GovernanceError::InvalidBeginning
        );
        Ok(())
    }

    /// When a decision of now can take effect, first and last.
    fn effects(&self, now: i64) -> Result<(i64, i64)> {
        let soonest = now.checked_add(self.time_lock_s);
        let soonest = soonest.ok_or(GovernanceError::Overflow)?;
        let latest = soonest.checked_add(MAX_AHEAD_S);
        Ok((soonest, latest.ok_or(GovernanceError::Overflow)?))
    }

    fn forget(&mut self, now: i64) {
        let oldest = now.saturating_sub(RETAIN_S);
        let replaced = |set: &RateSet| set.effective_from <= oldest;
        while self.rate_sets.get(1).is_some_and(replaced) {
            self.rate_sets.remove(0);
        }
    }

    pub fn require_time_lock(seconds: i64) -> Result<()> {
        require!(
            (MIN_TIME_LOCK_S..=MAX_TIME_LOCK_S).contains(&seconds),
            GovernanceError::InvalidTimeLock
        );
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        Self::require_time_lock(self.time_lock_s)?;
        self.votes.invariant()?;
        self.rate_sets.iter().try_for_each(RateSet::invariant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn from(effective_from: i64) -> RateSet {
        RateSet {
            effective_from,
            wheeling_mills: 100,
            platform_mills: 25,
            loss_mills: 5,
            export_tariff_mills: 2_200,
            import_tariff_mills: 5_000,
        }
    }

    fn params() -> Params {
        Params {
            rate_sets: vec![from(0)],
            time_lock_s: MIN_TIME_LOCK_S,
            votes: VoteRules::FIRST,
            bump: 255,
        }
    }

    #[test]
    fn rates_change_at_their_second() {
        let mut params = params();
        params.schedule(from(2 * DAY), 0).unwrap();
        assert_eq!(params.rates_at(-1), None);
        assert_eq!(params.rates_at(2 * DAY - 1), Some(from(0)));
        assert_eq!(params.rates_at(2 * DAY), Some(from(2 * DAY)));
    }

    #[test]
    fn nothing_takes_effect_within_the_time_lock() {
        let mut params = params();
        assert!(params.schedule(from(2 * DAY - 1), 0).is_err());
        params.schedule(from(2 * DAY), 0).unwrap();
        assert!(params.schedule(from(i64::MAX), i64::MAX).is_err());
    }

    #[test]
    fn nothing_takes_effect_more_than_a_year_behind_the_time_lock() {
        let mut params = params();
        let latest = MIN_TIME_LOCK_S + MAX_AHEAD_S;
        for late in [latest + 1, i64::MAX] {
            assert!(params.schedule(from(late), 0).is_err());
        }
        params.schedule(from(latest), 0).unwrap();
    }

    #[test]
    fn a_later_decision_replaces_what_is_still_outside_the_time_lock() {
        let mut params = params();
        for day in [2, 5, 9] {
            params.schedule(from(day * DAY), 0).unwrap();
        }
        params.schedule(from(4 * DAY), 0).unwrap();
        let scheduled: Vec<_> = params
            .rate_sets
            .iter()
            .map(|set| set.effective_from)
            .collect();
        assert_eq!(scheduled, [0, 2 * DAY, 4 * DAY]);
        assert!(params.schedule(from(4 * DAY), 2 * DAY + 1).is_err());
    }

    #[test]
    fn room_comes_back_when_old_rates_price_nothing_any_more() {
        let mut params = params();
        for day in 2..9 {
            params.schedule(from(day * DAY), 0).unwrap();
        }
        assert!(params.schedule(from(9 * DAY), 0).is_err());
        params.schedule(from(9 * DAY), 5 * DAY).unwrap();
        assert_eq!(params.rate_sets.len(), 8);
        assert_eq!(params.rates_at(2 * DAY), Some(from(2 * DAY)));
    }
}
