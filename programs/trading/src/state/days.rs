//! What the intervals of a delivery day (UTC) have cost so far, for the last few days.
use crate::errors::{Ruling, TradingError};
use anchor_lang::prelude::*;
use shared::Micros;

/// Days are kept by number modulo this: intervals of different days may settle side by side.
pub const DAYS: usize = 4;
const DAY_S: u64 = 86_400;

#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DayDebit {
    /// Sum of the gross debits of the day's settled lines.
    pub debit_micros: u64,
    /// Days since 1970.
    pub day: u32,
    /// Zero.
    pub reserved: u32,
}

impl DayDebit {
    /// The delivery day of the interval that starts at `start`.
    pub fn day_of(start: i64) -> Ruling<u32> {
        let seconds = u64::try_from(start).map_err(|_| TradingError::Overflow)?;
        u32::try_from(seconds / DAY_S).map_err(|_| TradingError::Overflow)
    }

    #[inline(always)]
    fn slot(day: u32) -> usize {
        day as usize % DAYS
    }

    /// What the day has cost so far. Fails when a later day has taken its place.
    #[inline(always)]
    pub fn spent(days: &[Self; DAYS], day: u32) -> Ruling<Micros> {
        let slot = &days[Self::slot(day)];
        if slot.day == day {
            Ok(Micros(slot.debit_micros))
        } else if slot.day < day {
            Ok(Micros::ZERO)
        } else {
            Err(TradingError::DayTooOld)
        }
    }

    /// Counts a debit that `spent` has allowed. A sum stops at the border.
    #[inline(always)]
    pub fn count(days: &mut [Self; DAYS], day: u32, debit_micros: u64) {
        let Ok(spent) = Self::spent(days, day) else {
            return;
        };
        days[Self::slot(day)] = Self {
            debit_micros: spent.0.saturating_add(debit_micros),
            day,
            reserved: 0,
        };
    }

    /// Takes a counted debit back, if the day still stands there.
    pub fn uncount(days: &mut [Self; DAYS], day: u32, debit_micros: u64) {
        let slot = &mut days[Self::slot(day)];
        if slot.day == day {
            slot.debit_micros = slot.debit_micros.saturating_sub(debit_micros);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_apart() {
        let mut days = [DayDebit::default(); DAYS];
        DayDebit::count(&mut days, 20_000, 5);
        DayDebit::count(&mut days, 20_001, 7);
        DayDebit::count(&mut days, 20_000, 6);
        assert_eq!(DayDebit::spent(&days, 20_000), Ok(Micros(11)));
        assert_eq!(DayDebit::spent(&days, 20_001), Ok(Micros(7)));
        assert_eq!(DayDebit::spent(&days, 20_002), Ok(Micros(0)));
    }

    #[test]
    fn a_later_day_takes_the_place_for_good() {
        let mut days = [DayDebit::default(); DAYS];
        DayDebit::count(&mut days, 20_000, 5);
        DayDebit::count(&mut days, 20_004, 1);
        assert_eq!(DayDebit::spent(&days, 20_004), Ok(Micros(1)));
        assert_eq!(DayDebit::spent(&days, 20_000), Err(TradingError::DayTooOld));
        DayDebit::count(&mut days, 20_000, 5);
        assert_eq!(DayDebit::spent(&days, 20_004), Ok(Micros(1)));
    }

    #[test]
    fn what_is_taken_back_counts_for_its_own_day_only() {
        let mut days = [DayDebit::default(); DAYS];
        DayDebit::count(&mut days, 20_000, 5);
        DayDebit::uncount(&mut days, 20_000, 3);
        assert_eq!(DayDebit::spent(&days, 20_000), Ok(Micros(2)));
        DayDebit::uncount(&mut days, 20_004, 1);
        DayDebit::uncount(&mut days, 19_996, 1);
        assert_eq!(DayDebit::spent(&days, 20_000), Ok(Micros(2)));
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(DayDebit::day_of(86_399), Ok(0));
        assert_eq!(DayDebit::day_of(86_400), Ok(1));
        assert!(DayDebit::day_of(-1).is_err());
        assert!(DayDebit::day_of(i64::MAX).is_err());
    }

    #[test]
    fn a_sum_stops_at_the_border() {
        let mut days = [DayDebit::default(); DAYS];
        DayDebit::count(&mut days, 1, u64::MAX);
        DayDebit::count(&mut days, 1, 1);
        assert_eq!(DayDebit::spent(&days, 1), Ok(Micros(u64::MAX)));
    }
}
