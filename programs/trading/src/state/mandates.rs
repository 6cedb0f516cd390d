//! An account's mandates, oldest first: which one binds an interval, and what they lock.
use super::{Mandate, MandateArgs};
use crate::errors::{ensure, RuleResult, TradingError};
use anchor_lang::prelude::*;
use shared::Micros;

/// Most mandates that can be needed at the same time.
pub const MAX_MANDATES: usize = 4;

#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mandates {
    /// Ascending by `valid_from_s`; those from `count` on are unused.
    pub ring: [Mandate; MAX_MANDATES],
    /// Number of mandates in use.
    pub count: u32,
    /// Padding, zero.
    pub reserved: u32,
}

impl Mandates {
    fn used(&self) -> &[Mandate] {
        let count = (self.count as usize).min(MAX_MANDATES);
        &self.ring[..count]
    }

    /// The mandate that binds the interval: the last that was valid at its start, if the interval ends by its expiry.
    #[inline(always)]
    pub fn in_force(&self, start_s: i64, end_s: i64) -> RuleResult<&Mandate> {
        self.used()
            .iter()
            .rev()
            .find(|mandate| mandate.valid_from_s <= start_s)
            .filter(|mandate| end_s <= mandate.expiry_s)
            .ok_or(TradingError::MandateMissing)
    }

    fn released_at_s(&self, index: usize, interval_s: u32) -> Option<i64> {
        let used = self.used();
        let next_from_s = used.get(index + 1).map(|next| next.valid_from_s);
        used.get(index)?.released_at_s(next_from_s, interval_s)
    }

    /// The largest reserve of all mandates that are not released at Unix second `now_s`.
    pub fn locked_reserve(&self, now_s: i64, interval_s: u32) -> Micros {
        let held = |index: &usize| {
            self.released_at_s(*index, interval_s)
                .is_some_and(|at_s| now_s < at_s)
        };
        let reserves = (0..self.used().len())
            .filter(held)
            .map(|index| self.ring[index].reserve_micros);
        Micros(reserves.max().unwrap_or(0))
    }

    /// Adds a mandate behind the others; room comes from those that are not needed any more.
    pub fn add(&mut self, args: MandateArgs, now_s: i64, interval_s: u32) -> RuleResult<Mandate> {
        args.require_valid(now_s)?;
        let valid_from_s = match self.used().last() {
            Some(last) => last.successor_from_s(&args, now_s, interval_s)?,
            None => now_s,
        };
        self.drop_superseded(valid_from_s, interval_s);
        self.drop_released(valid_from_s, now_s, interval_s);
        let index = self.used().len();
        ensure(index < MAX_MANDATES, TradingError::MandateTooSoon)?;
        let mandate = args.into_mandate(valid_from_s);
        self.ring[index] = mandate;
        self.count = self.count.checked_add(1).ok_or(TradingError::Overflow)?;
        Ok(mandate)
    }

    /// Drops mandates from the end under which no interval starts any more. The one before takes over nothing by it.
    fn drop_superseded(&mut self, next_from_s: i64, interval_s: u32) {
        while let Some(last) = self.used().last() {
            if last.covers_any_start(next_from_s, interval_s) {
                return;
            }
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Drops mandates from the front whose reserve is free. Never from the middle, where the one before would take
    /// over.
    fn drop_released(&mut self, next_from_s: i64, now_s: i64, interval_s: u32) {
        while let Some(first) = self.used().first() {
            let next = self
                .used()
                .get(1)
                .map_or(next_from_s, |next| next.valid_from_s);
            let released = first.released_at_s(Some(next), interval_s);
            if released.is_some_and(|at_s| now_s < at_s) {
                return;
            }
            self.ring.rotate_left(1);
            self.count = self.count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::RELEASE_S;

    const INTERVAL_S: u32 = 900;
    const NOW_S: i64 = 1_750_000_500;
    const HORIZON_S: i64 = 3_600;

    fn args(reserve_micros: u64) -> MandateArgs {
        MandateArgs {
            expiry_s: NOW_S + 90 * 86_400,
            max_wh: 1_000,
            horizon_s: HORIZON_S as u32,
            reserve_micros,
            ..MandateArgs::default()
        }
    }

    fn reserve_at(mandates: &Mandates, start_s: i64) -> RuleResult<u64> {
        mandates
            .in_force(start_s, start_s + 900)
            .map(|mandate| mandate.reserve_micros)
    }

    #[test]
    fn without_a_mandate_nothing_is_allowed_or_locked() {
        let mandates = Mandates::default();
        assert_eq!(
            reserve_at(&mandates, NOW_S),
            Err(TradingError::MandateMissing)
        );
        assert_eq!(mandates.locked_reserve(NOW_S, INTERVAL_S), Micros(0));
    }

    #[test]
    fn the_first_binds_at_once_and_nothing_before_it() {
        let mut mandates = Mandates::default();
        assert_eq!(
            mandates
                .add(args(5), NOW_S, INTERVAL_S)
                .unwrap()
                .valid_from_s,
            NOW_S
        );
        assert_eq!(reserve_at(&mandates, NOW_S), Ok(5));
        assert_eq!(
            reserve_at(&mandates, NOW_S - 1),
            Err(TradingError::MandateMissing)
        );
    }

    #[test]
    fn an_interval_must_end_by_the_expiry() {
        let mut mandates = Mandates::default();
        mandates.add(args(5), NOW_S, INTERVAL_S).unwrap();
        let expiry_s = args(5).expiry_s;
        assert_eq!(reserve_at(&mandates, expiry_s - 900), Ok(5));
        assert_eq!(
            reserve_at(&mandates, expiry_s - 899),
            Err(TradingError::MandateMissing)
        );
    }

    #[test]
    fn a_narrower_mandate_binds_after_the_horizon_and_the_old_reserve_stays_a_day_longer() {
        let mut mandates = Mandates::default();
        mandates.add(args(9), NOW_S, INTERVAL_S).unwrap();
        let from = mandates
            .add(args(4), NOW_S, INTERVAL_S)
            .unwrap()
            .valid_from_s;
        assert_eq!(from, NOW_S + HORIZON_S + 1);
        assert_eq!(reserve_at(&mandates, NOW_S + HORIZON_S), Ok(9));
        assert_eq!(reserve_at(&mandates, NOW_S + HORIZON_S + 900), Ok(4));
        let free = NOW_S + HORIZON_S + 900 + RELEASE_S;
        assert_eq!(mandates.locked_reserve(free - 1, INTERVAL_S), Micros(9));
        assert_eq!(mandates.locked_reserve(free, INTERVAL_S), Micros(4));
    }

    #[test]
    fn ending_frees_the_whole_reserve_in_the_end() {
        let mut mandates = Mandates::default();
        mandates.add(args(9), NOW_S, INTERVAL_S).unwrap();
        mandates
            .add(MandateArgs::default(), NOW_S, INTERVAL_S)
            .unwrap();
        let start_s = NOW_S + HORIZON_S + 900;
        assert_eq!(
            reserve_at(&mandates, start_s),
            Err(TradingError::MandateMissing)
        );
        assert_eq!(
            mandates.locked_reserve(start_s + RELEASE_S, INTERVAL_S),
            Micros(0)
        );
    }

    #[test]
    fn an_ended_mandate_does_not_revive_the_one_before_it() {
        let mut mandates = Mandates::default();
        mandates.add(args(9), NOW_S, INTERVAL_S).unwrap();
        let ended = mandates
            .add(MandateArgs::default(), NOW_S, INTERVAL_S)
            .unwrap();
        let later = ended.valid_from_s + 10 * 900;
        mandates.add(args(3), later, INTERVAL_S).unwrap();
        let between = NOW_S + HORIZON_S + 900;
        assert_eq!(
            reserve_at(&mandates, between),
            Err(TradingError::MandateMissing)
        );
        assert_eq!(reserve_at(&mandates, NOW_S), Ok(9));
    }

    #[test]
    fn changing_ones_mind_takes_no_room() {
        let mut mandates = Mandates::default();
        mandates.add(args(9), NOW_S, INTERVAL_S).unwrap();
        for reserve in [4, 9, 4, 9, 3, 9, 2] {
            mandates.add(args(reserve), NOW_S + 60, INTERVAL_S).unwrap();
        }
        assert_eq!(mandates.count, 2);
        assert_eq!(reserve_at(&mandates, NOW_S), Ok(9));
    }

    #[test]
    fn a_full_ring_waits_for_the_oldest() {
        let mut mandates = Mandates::default();
        for index in 0..4 {
            let at_s = NOW_S + index * 900;
            mandates
                .add(args(10 + index as u64), at_s, INTERVAL_S)
                .unwrap();
        }
        let fifth = args(20);
        let released = NOW_S + 900 + RELEASE_S;
        assert_eq!(
            mandates.add(fifth, released - 1, INTERVAL_S),
            Err(TradingError::MandateTooSoon)
        );
        mandates.add(fifth, released, INTERVAL_S).unwrap();
        assert_eq!(mandates.count, 4);
        assert_eq!(
            reserve_at(&mandates, NOW_S),
            Err(TradingError::MandateMissing)
        );
        assert_eq!(reserve_at(&mandates, NOW_S + 900), Ok(11));
        assert_eq!(reserve_at(&mandates, released + 900), Ok(20));
    }
}
