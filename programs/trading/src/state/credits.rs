//! Open credits: what settlements that are not closed yet have credited to an account. Part of the balance, but not
//! spent before the close, because an aborted settlement takes it back.
use crate::errors::{ensure, RuleResult, TradingError};
use anchor_lang::prelude::*;
use shared::Micros;

/// Number of settlements that can have credited accounts without being closed. Each holds one entry, in the market and
/// in every account that it credits.
pub const CREDIT_ENTRIES: usize = 8;

/// Start in Unix seconds of the interval whose settlement holds each entry; 0 is a free entry.
pub type CreditingStarts = [i64; CREDIT_ENTRIES];

/// Acquires a free entry for the settlement of the interval that starts at `start_s`.
pub fn acquire_entry(crediting_starts_s: &mut CreditingStarts, start_s: i64) -> RuleResult<u8> {
    ensure(start_s > 0, TradingError::WrongInterval)?;
    let free = crediting_starts_s.iter().position(|held| *held == 0);
    let index = free.ok_or(TradingError::TooManyCrediting)?;
    crediting_starts_s[index] = start_s;
    u8::try_from(index).map_err(|_| TradingError::Overflow)
}

/// Releases an entry: what its settlement has credited is final, or was taken back.
pub fn release_entry(
    crediting_starts_s: &mut CreditingStarts,
    index: u8,
    start_s: i64,
) -> RuleResult<()> {
    let held = crediting_starts_s.get_mut(usize::from(index));
    let held = held.filter(|held| **held == start_s);
    *held.ok_or(TradingError::Overflow)? = 0;
    Ok(())
}

#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credit {
    /// Start of the settled interval, in Unix seconds.
    pub start_s: i64,
    /// Credited amount, in micros.
    pub amount_micros: u64,
}

/// An account's credits by their settlements' entries.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credits {
    pub entries: [Credit; CREDIT_ENTRIES],
    /// Bit i is set while entry i may hold a credit that is not final.
    pub used_bits: u32,
    /// Padding, zero.
    pub reserved: u32,
}

impl Credits {
    /// Records a credit. What was in its entry is final: the former settlement has released it.
    #[inline(always)]
    pub fn record(&mut self, index: u8, start_s: i64, amount: Micros) -> RuleResult<()> {
        let credit = self.entries.get_mut(usize::from(index));
        *credit.ok_or(TradingError::Overflow)? = Credit {
            start_s,
            amount_micros: amount.0,
        };
        self.used_bits |= 1u32 << index;
        Ok(())
    }

    /// Removes a credit that is taken back, and returns its amount.
    pub fn remove(&mut self, index: u8, start_s: i64) -> RuleResult<Micros> {
        let credit = self.entries.get(usize::from(index));
        let credit =
            credit.filter(|credit| credit.start_s == start_s && self.used_bits >> index & 1 == 1);
        let amount_micros = credit.ok_or(TradingError::Overflow)?.amount_micros;
        self.used_bits &= !(1u32 << index);
        Ok(Micros(amount_micros))
    }

    /// The sum of the credits that are not final.
    #[inline(always)]
    pub fn open_total(&self, crediting_starts_s: &CreditingStarts) -> RuleResult<Micros> {
        if self.used_bits == 0 {
            return Ok(Micros::ZERO);
        }
        let mut sum = Micros::ZERO;
        for (index, (credit, start_s)) in self.entries.iter().zip(crediting_starts_s).enumerate() {
            if self.used_bits >> index & 1 == 1 && credit.start_s == *start_s {
                let more = sum.checked_add(Micros(credit.amount_micros));
                sum = more.ok_or(TradingError::Overflow)?;
            }
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credit_is_open_while_its_settlement_holds_the_entry() {
        let (mut crediting_starts_s, mut credits) =
            (CreditingStarts::default(), Credits::default());
        let first = acquire_entry(&mut crediting_starts_s, 900).unwrap();
        let second = acquire_entry(&mut crediting_starts_s, 1_800).unwrap();
        credits.record(first, 900, Micros(5)).unwrap();
        credits.record(second, 1_800, Micros(7)).unwrap();
        assert_eq!(credits.open_total(&crediting_starts_s), Ok(Micros(12)));
        release_entry(&mut crediting_starts_s, first, 900).unwrap();
        assert_eq!(credits.open_total(&crediting_starts_s), Ok(Micros(7)));
        assert_eq!(acquire_entry(&mut crediting_starts_s, 2_700), Ok(first));
        assert_eq!(credits.open_total(&crediting_starts_s), Ok(Micros(7)));
        credits.record(first, 2_700, Micros(1)).unwrap();
        assert_eq!(credits.open_total(&crediting_starts_s), Ok(Micros(8)));
    }

    #[test]
    fn a_credit_is_taken_back_once_and_by_its_settlement() {
        let mut credits = Credits::default();
        credits.record(3, 900, Micros(5)).unwrap();
        assert!(credits.remove(3, 1_800).is_err());
        assert!(credits.remove(2, 900).is_err());
        assert_eq!(credits.remove(3, 900), Ok(Micros(5)));
        assert!(credits.remove(3, 900).is_err());
    }

    #[test]
    fn entries_are_few_and_released_by_their_holder() {
        let mut crediting_starts_s = CreditingStarts::default();
        assert_eq!(
            acquire_entry(&mut crediting_starts_s, 0),
            Err(TradingError::WrongInterval)
        );
        for start_s in 1..=8 {
            acquire_entry(&mut crediting_starts_s, start_s).unwrap();
        }
        assert_eq!(
            acquire_entry(&mut crediting_starts_s, 9),
            Err(TradingError::TooManyCrediting)
        );
        assert!(release_entry(&mut crediting_starts_s, 4, 1).is_err());
        assert!(release_entry(&mut crediting_starts_s, 8, 1).is_err());
        release_entry(&mut crediting_starts_s, 4, 5).unwrap();
        assert_eq!(acquire_entry(&mut crediting_starts_s, 9), Ok(4));
    }
}
