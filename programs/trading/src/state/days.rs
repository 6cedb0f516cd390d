//! Gross debits of a delivery day (UTC) so far, for the last few days.
use crate::errors::{RuleResult, TradingError};
use anchor_lang::prelude::*;
use shared::Micros;

/// Days that are kept, each at its number modulo this: intervals of different days may settle side by side.
pub const DAYS_KEPT: usize = 4;
const DAY_S: u64 = 86_400;

#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DayDebit {
    /// Sum of the gross debits of the day's settled lines, in micros.
    pub debit_micros: u64,
    /// The day, in days since 1970-01-01.
    pub epoch_day: u32,
    /// Padding, zero.
    pub reserved: u32,
}

impl DayDebit {
    /// The delivery day, in days since 1970-01-01, of the interval that starts at `start_s`.
    pub fn epoch_day_of(start_s: i64) -> RuleResult<u32> {
        let seconds = u64::try_from(start_s).map_err(|_| TradingError::Overflow)?;
        u32::try_from(seconds / DAY_S).map_err(|_| TradingError::Overflow)
    }

    #[inline(always)]
    fn entry_index(epoch_day: u32) -> usize {
        epoch_day as usize % DAYS_KEPT
    }

    /// Sum of the day's debits so far. Fails when a later day has taken its entry.
    #[inline(always)]
    pub fn spent(days: &[Self; DAYS_KEPT], epoch_day: u32) -> RuleResult<Micros> {
        let entry = &days[Self::entry_index(epoch_day)];
        if entry.epoch_day == epoch_day {
            Ok(Micros(entry.debit_micros))
        } else if entry.epoch_day < epoch_day {
            Ok(Micros::ZERO)
        } else {
            Err(TradingError::DayTooOld)
        }
    }

    /// Adds a debit of a day whose sum `spent` could read. The sum saturates.
    #[inline(always)]
    pub fn add(days: &mut [Self; DAYS_KEPT], epoch_day: u32, debit_micros: u64) {
        let Ok(spent) = Self::spent(days, epoch_day) else {
            return;
        };
        days[Self::entry_index(epoch_day)] = Self {
            debit_micros: spent.0.saturating_add(debit_micros),
            epoch_day,
            reserved: 0,
        };
    }

    /// Subtracts an added debit, if the day still has its entry.
    pub fn subtract(days: &mut [Self; DAYS_KEPT], epoch_day: u32, debit_micros: u64) {
        let entry = &mut days[Self::entry_index(epoch_day)];
        if entry.epoch_day == epoch_day {
            entry.debit_micros = entry.debit_micros.saturating_sub(debit_micros);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_apart() {
        let mut days = [DayDebit::default(); DAYS_KEPT];
        DayDebit::add(&mut days, 20_000, 5);
        DayDebit::add(&mut days, 20_001, 7);
        DayDebit::add(&mut days, 20_000, 6);
        assert_eq!(DayDebit::spent(&days, 20_000), Ok(Micros(11)));
        assert_eq!(DayDebit::spent(&days, 20_001), Ok(Micros(7)));
        assert_eq!(DayDebit::spent(&days, 20_002), Ok(Micros(0)));
    }

    #[test]
    fn a_later_day_takes_the_entry_for_good() {
        let mut days = [DayDebit::default(); DAYS_KEPT];
        DayDebit::add(&mut days, 20_000, 5);
        DayDebit::add(&mut days, 20_004, 1);
        assert_eq!(DayDebit::spent(&days, 20_004), Ok(Micros(1)));
        assert_eq!(DayDebit::spent(&days, 20_000), Err(TradingError::DayTooOld));
        DayDebit::add(&mut days, 20_000, 5);
        assert_eq!(DayDebit::spent(&days, 20_004), Ok(Micros(1)));
    }

    #[test]
    fn what_is_taken_back_counts_for_its_own_day_only() {
        let mut days = [DayDebit::default(); DAYS_KEPT];
        DayDebit::add(&mut days, 20_000, 5);
        DayDebit::subtract(&mut days, 20_000, 3);
        assert_eq!(DayDebit::spent(&days, 20_000), Ok(Micros(2)));
        DayDebit::subtract(&mut days, 20_004, 1);
        DayDebit::subtract(&mut days, 19_996, 1);
        assert_eq!(DayDebit::spent(&days, 20_000), Ok(Micros(2)));
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(DayDebit::epoch_day_of(86_399), Ok(0));
        assert_eq!(DayDebit::epoch_day_of(86_400), Ok(1));
        assert!(DayDebit::epoch_day_of(-1).is_err());
        assert!(DayDebit::epoch_day_of(i64::MAX).is_err());
    }

    #[test]
    fn a_sum_stops_at_the_border() {
        let mut days = [DayDebit::default(); DAYS_KEPT];
        DayDebit::add(&mut days, 1, u64::MAX);
        DayDebit::add(&mut days, 1, 1);
        assert_eq!(DayDebit::spent(&days, 1), Ok(Micros(u64::MAX)));
    }
}
