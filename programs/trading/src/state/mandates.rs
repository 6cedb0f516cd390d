//! An account's mandates, oldest first: which one binds an interval, and what they lock.
use super::{Mandate, MandateArgs};
use crate::errors::{ensure, Ruling, TradingError};
use anchor_lang::prelude::*;
use shared::Micros;

/// Mandates that can be needed at the same time.
pub const MANDATES: usize = 4;

#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mandates {
    /// Ascending by `valid_from`; those from `count` on are unused.
    pub ring: [Mandate; MANDATES],
    /// Mandates in use.
    pub count: u32,
    /// Zero.
    pub reserved: u32,
}

impl Mandates {
    fn used(&self) -> &[Mandate] {
        let count = (self.count as usize).min(MANDATES);
        &self.ring[..count]
    }

    /// The mandate that binds the interval: the last that was valid at its start, if the interval ends by its expiry.
    #[inline(always)]
    pub fn in_force(&self, start: i64, end: i64) -> Ruling<&Mandate> {
        self.used()
            .iter()
            .rev()
            .find(|mandate| mandate.valid_from <= start)
            .filter(|mandate| end <= mandate.expiry)
            .ok_or(TradingError::MandateMissing)
    }

    fn released_at(&self, place: usize, interval_s: u32) -> Option<i64> {
        let used = self.used();
        let next_from = used.get(place + 1).map(|next| next.valid_from);
        used.get(place)?.released_at(next_from, interval_s)
    }

    /// The largest reserve of all mandates that are not released.
    pub fn locked(&self, now: i64, interval_s: u32) -> Micros {
        let held = |place: &usize| {
            self.released_at(*place, interval_s)
                .is_some_and(|at| now < at)
        };
        let reserves = (0..self.used().len())
            .filter(held)
            .map(|place| self.ring[place].reserve_micros);
        Micros(reserves.max().unwrap_or(0))
    }

    /// Adds a mandate behind the others; room comes from those that are not needed any more.
    pub fn set(&mut self, args: MandateArgs, now: i64, interval_s: u32) -> Ruling<Mandate> {
        args.require_sane(now)?;
        let valid_from = match self.used().last() {
            Some(last) => last.successor_from(&args, now, interval_s)?,
            None => now,
        };
        self.drop_overtaken(valid_from, interval_s);
        self.drop_released(valid_from, now, interval_s);
        let place = self.used().len();
        ensure(place < MANDATES, TradingError::MandateTooSoon)?;
        let mandate = args.from(valid_from);
        self.ring[place] = mandate;
        self.count = self.count.checked_add(1).ok_or(TradingError::Overflow)?;
        Ok(mandate)
    }

    /// From the end: mandates under which no interval starts any more. The one before takes over nothing by it.
    fn drop_overtaken(&mut self, next_from: i64, interval_s: u32) {
        while let Some(last) = self.used().last() {
            if last.has_starts(next_from, interval_s) {
                return;
            }
            self.count = self.count.saturating_sub(1);
        }
    }

    /// From the front: mandates whose reserve is free. Never from the middle, where the one before would take over.
    fn drop_released(&mut self, next_from: i64, now: i64, interval_s: u32) {
        while let Some(first) = self.used().first() {
            let next = self.used().get(1).map_or(next_from, |next| next.valid_from);
            let released = first.released_at(Some(next), interval_s);
            if released.is_some_and(|at| now < at) {
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

    const LENGTH: u32 = 900;
    const NOW: i64 = 1_750_000_500;
    const HORIZON: i64 = 3_600;

    fn args(reserve_micros: u64) -> MandateArgs {
        MandateArgs {
            expiry: NOW + 90 * 86_400,
            max_wh: 1_000,
            horizon_s: HORIZON as u32,
            reserve_micros,
            ..MandateArgs::default()
        }
    }

    fn reserve_at(mandates: &Mandates, start: i64) -> Ruling<u64> {
        mandates
            .in_force(start, start + 900)
            .map(|mandate| mandate.reserve_micros)
    }

    #[test]
    fn without_a_mandate_nothing_is_allowed_or_locked() {
        let mandates = Mandates::default();
        assert_eq!(
            reserve_at(&mandates, NOW),
            Err(TradingError::MandateMissing)
        );
        assert_eq!(mandates.locked(NOW, LENGTH), Micros(0));
    }

    #[test]
    fn the_first_binds_at_once_and_nothing_before_it() {
        let mut mandates = Mandates::default();
        assert_eq!(mandates.set(args(5), NOW, LENGTH).unwrap().valid_from, NOW);
        assert_eq!(reserve_at(&mandates, NOW), Ok(5));
        assert_eq!(
            reserve_at(&mandates, NOW - 1),
            Err(TradingError::MandateMissing)
        );
    }

    #[test]
    fn an_interval_must_end_by_the_expiry() {
        let mut mandates = Mandates::default();
        mandates.set(args(5), NOW, LENGTH).unwrap();
        let expiry = args(5).expiry;
        assert_eq!(reserve_at(&mandates, expiry - 900), Ok(5));
        assert_eq!(
            reserve_at(&mandates, expiry - 899),
            Err(TradingError::MandateMissing)
        );
    }

    #[test]
    fn a_narrower_mandate_binds_after_the_horizon_and_the_old_reserve_stays_a_day_longer() {
        let mut mandates = Mandates::default();
        mandates.set(args(9), NOW, LENGTH).unwrap();
        let from = mandates.set(args(4), NOW, LENGTH).unwrap().valid_from;
        assert_eq!(from, NOW + HORIZON + 1);
        assert_eq!(reserve_at(&mandates, NOW + HORIZON), Ok(9));
        assert_eq!(reserve_at(&mandates, NOW + HORIZON + 900), Ok(4));
        let free = NOW + HORIZON + 900 + RELEASE_S;
        assert_eq!(mandates.locked(free - 1, LENGTH), Micros(9));
        assert_eq!(mandates.locked(free, LENGTH), Micros(4));
    }

    #[test]
    fn ending_frees_the_whole_reserve_in_the_end() {
        let mut mandates = Mandates::default();
        mandates.set(args(9), NOW, LENGTH).unwrap();
        mandates.set(MandateArgs::default(), NOW, LENGTH).unwrap();
        let start = NOW + HORIZON + 900;
        assert_eq!(
            reserve_at(&mandates, start),
            Err(TradingError::MandateMissing)
        );
        assert_eq!(mandates.locked(start + RELEASE_S, LENGTH), Micros(0));
    }

    #[test]
    fn an_ended_mandate_does_not_revive_the_one_before_it() {
        let mut mandates = Mandates::default();
        mandates.set(args(9), NOW, LENGTH).unwrap();
        let end = mandates.set(MandateArgs::default(), NOW, LENGTH).unwrap();
        let later = end.valid_from + 10 * 900;
        mandates.set(args(3), later, LENGTH).unwrap();
        let between = NOW + HORIZON + 900;
        assert_eq!(
            reserve_at(&mandates, between),
            Err(TradingError::MandateMissing)
        );
        assert_eq!(reserve_at(&mandates, NOW), Ok(9));
    }

    #[test]
    fn changing_ones_mind_takes_no_room() {
        let mut mandates = Mandates::default();
        mandates.set(args(9), NOW, LENGTH).unwrap();
        for reserve in [4, 9, 4, 9, 3, 9, 2] {
            mandates.set(args(reserve), NOW + 60, LENGTH).unwrap();
        }
        assert_eq!(mandates.count, 2);
        assert_eq!(reserve_at(&mandates, NOW), Ok(9));
    }

    #[test]
    fn a_full_ring_waits_for_the_oldest() {
        let mut mandates = Mandates::default();
        for place in 0..4 {
            let at = NOW + place * 900;
            mandates.set(args(10 + place as u64), at, LENGTH).unwrap();
        }
        let fifth = args(20);
        let released = NOW + 900 + RELEASE_S;
        assert_eq!(
            mandates.set(fifth, released - 1, LENGTH),
            Err(TradingError::MandateTooSoon)
        );
        mandates.set(fifth, released, LENGTH).unwrap();
        assert_eq!(mandates.count, 4);
        assert_eq!(
            reserve_at(&mandates, NOW),
            Err(TradingError::MandateMissing)
        );
        assert_eq!(reserve_at(&mandates, NOW + 900), Ok(11));
        assert_eq!(reserve_at(&mandates, released + 900), Ok(20));
    }
}
