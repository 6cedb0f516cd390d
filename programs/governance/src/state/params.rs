//! Parameters that settlement reads: rates in force, past and scheduled, the time lock and the rules of votes.
use super::{RateSet, VoteRules};
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

const MAX_RATE_SETS: usize = 8;
/// Rates are kept this many seconds after their replacement: no interval can be settled at them any more.
const RATES_RETENTION_S: i64 = 3 * 86_400;
pub const MIN_TIME_LOCK_S: i64 = 48 * 3_600;
pub const MAX_TIME_LOCK_S: i64 = 90 * 86_400;
/// Rates and attestors take effect at most this many seconds after the time lock: a year.
pub const MAX_AHEAD_S: i64 = 366 * 86_400;

#[account]
#[derive(InitSpace)]
pub struct Params {
    /// Rates ascending by `effective_from_s`: past, in force and scheduled.
    #[max_len(MAX_RATE_SETS)]
    pub rate_sets: Vec<RateSet>,
    /// Least seconds between a decision and its effect.
    pub time_lock_s: i64,
    /// How participants vote.
    pub vote_rules: VoteRules,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl Params {
    /// The rates in force at Unix second `at_s`: the last that were effective by then.
    pub fn rates_at(&self, at_s: i64) -> Option<RateSet> {
        let effective = |rates: &&RateSet| rates.effective_from_s <= at_s;
        self.rate_sets.iter().rev().find(effective).copied()
    }

    /// Schedules rates outside the time lock. The last decision holds: it replaces rates that were scheduled for the
    /// same time or later, which lie outside the time lock as well.
    pub fn schedule(&mut self, next: RateSet, now_s: i64) -> Result<()> {
        let (min_s, max_s) = self.effective_window(now_s)?;
        require!(
            next.effective_from_s >= min_s,
            GovernanceError::RatesTooSoon
        );
        require!(next.effective_from_s <= max_s, GovernanceError::RatesTooFar);
        self.rate_sets
            .retain(|set| set.effective_from_s < next.effective_from_s);
        self.drop_outdated_rates(now_s);
        require!(
            self.rate_sets.len() < MAX_RATE_SETS,
            GovernanceError::TooManyRates
        );
        self.rate_sets.push(next);
        Ok(())
    }

    /// Fails unless Unix second `from_s` lies outside the time lock, and within a year after it.
    pub fn require_attestors_at(&self, from_s: i64, now_s: i64) -> Result<()> {
        let (min_s, max_s) = self.effective_window(now_s)?;
        require!(
            (min_s..=max_s).contains(&from_s),
            GovernanceError::InvalidBeginning
        );
        Ok(())
    }

    /// First and last Unix second at which a decision of `now_s` can take effect.
    fn effective_window(&self, now_s: i64) -> Result<(i64, i64)> {
        let min_s = now_s.checked_add(self.time_lock_s);
        let min_s = min_s.ok_or(GovernanceError::Overflow)?;
        let max_s = min_s.checked_add(MAX_AHEAD_S);
        Ok((min_s, max_s.ok_or(GovernanceError::Overflow)?))
    }

    fn drop_outdated_rates(&mut self, now_s: i64) {
        let cutoff_s = now_s.saturating_sub(RATES_RETENTION_S);
        let replaced = |set: &RateSet| set.effective_from_s <= cutoff_s;
        while self.rate_sets.get(1).is_some_and(replaced) {
            self.rate_sets.remove(0);
        }
    }

    pub fn require_time_lock(time_lock_s: i64) -> Result<()> {
        require!(
            (MIN_TIME_LOCK_S..=MAX_TIME_LOCK_S).contains(&time_lock_s),
            GovernanceError::InvalidTimeLock
        );
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        Self::require_time_lock(self.time_lock_s)?;
        self.vote_rules.invariant()?;
        self.rate_sets.iter().try_for_each(RateSet::invariant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: i64 = 86_400;

    fn rates_from(effective_from_s: i64) -> RateSet {
        RateSet {
            effective_from_s,
            wheeling_mills: 100,
            platform_mills: 25,
            loss_mills: 5,
            export_tariff_mills: 2_200,
            import_tariff_mills: 5_000,
        }
    }

    fn params() -> Params {
        Params {
            rate_sets: vec![rates_from(0)],
            time_lock_s: MIN_TIME_LOCK_S,
            vote_rules: VoteRules::INITIAL,
            bump: 255,
        }
    }

    #[test]
    fn rates_change_at_their_second() {
        let mut params = params();
        params.schedule(rates_from(2 * DAY_S), 0).unwrap();
        assert_eq!(params.rates_at(-1), None);
        assert_eq!(params.rates_at(2 * DAY_S - 1), Some(rates_from(0)));
        assert_eq!(params.rates_at(2 * DAY_S), Some(rates_from(2 * DAY_S)));
    }

    #[test]
    fn nothing_takes_effect_within_the_time_lock() {
        let mut params = params();
        assert!(params.schedule(rates_from(2 * DAY_S - 1), 0).is_err());
        params.schedule(rates_from(2 * DAY_S), 0).unwrap();
        assert!(params.schedule(rates_from(i64::MAX), i64::MAX).is_err());
    }

    #[test]
    fn nothing_takes_effect_more_than_a_year_behind_the_time_lock() {
        let mut params = params();
        let latest_s = MIN_TIME_LOCK_S + MAX_AHEAD_S;
        for late in [latest_s + 1, i64::MAX] {
            assert!(params.schedule(rates_from(late), 0).is_err());
        }
        params.schedule(rates_from(latest_s), 0).unwrap();
    }

    #[test]
    fn a_later_decision_replaces_what_is_still_outside_the_time_lock() {
        let mut params = params();
        for day in [2, 5, 9] {
            params.schedule(rates_from(day * DAY_S), 0).unwrap();
        }
        params.schedule(rates_from(4 * DAY_S), 0).unwrap();
        let scheduled: Vec<_> = params
            .rate_sets
            .iter()
            .map(|set| set.effective_from_s)
            .collect();
        assert_eq!(scheduled, [0, 2 * DAY_S, 4 * DAY_S]);
        assert!(params
            .schedule(rates_from(4 * DAY_S), 2 * DAY_S + 1)
            .is_err());
    }

    #[test]
    fn room_comes_back_when_old_rates_price_nothing_any_more() {
        let mut params = params();
        for day in 2..9 {
            params.schedule(rates_from(day * DAY_S), 0).unwrap();
        }
        assert!(params.schedule(rates_from(9 * DAY_S), 0).is_err());
        params.schedule(rates_from(9 * DAY_S), 5 * DAY_S).unwrap();
        assert_eq!(params.rate_sets.len(), 8);
        assert_eq!(params.rates_at(2 * DAY_S), Some(rates_from(2 * DAY_S)));
    }
}
