//! Which accounts have a line in an interval: one bit for each, behind the settlement's fixed part.
use crate::errors::{ensure, Ruling, TradingError};

pub struct Seen<'a> {
    pub bits: &'a mut [u8],
    /// Accounts of the market when the settlement opened; whole bytes of bits have room for more.
    pub accounts: u32,
}

impl Seen<'_> {
    /// Bytes for this many accounts.
    pub const fn size_for(accounts: u32) -> usize {
        accounts.div_ceil(8) as usize
    }

    /// Marks account `number`, once.
    #[inline(always)]
    pub fn mark(&mut self, number: u32) -> Ruling<()> {
        ensure(number < self.accounts, TradingError::AccountTooYoung)?;
        let bit = 1u8 << (number & 7);
        let byte = self.bits.get_mut((number >> 3) as usize);
        let byte = byte.ok_or(TradingError::Overflow)?;
        ensure(*byte & bit == 0, TradingError::AccountAlreadySettled)?;
        *byte |= bit;
        Ok(())
    }

    /// Takes the mark of account `number` away, once.
    pub fn unmark(&mut self, number: u32) -> Ruling<()> {
        let bit = 1u8 << (number & 7);
        let byte = self.bits.get_mut((number >> 3) as usize);
        let byte = byte.ok_or(TradingError::AlreadyReturned)?;
        ensure(*byte & bit != 0, TradingError::AlreadyReturned)?;
        *byte &= !bit;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_once() {
        let mut bits = [0; 2];
        let mut seen = Seen {
            bits: &mut bits,
            accounts: 16,
        };
        for number in [0, 7, 8, 15, 3] {
            seen.mark(number).unwrap();
            assert_eq!(seen.mark(number), Err(TradingError::AccountAlreadySettled));
        }
        assert_eq!(bits, [0b1000_1001, 0b1000_0001]);
    }

    #[test]
    fn bits_that_fill_up_the_last_byte_are_nobodys() {
        let mut bits = [0; 1];
        assert_eq!(Seen::size_for(3), 1);
        let mut seen = Seen {
            bits: &mut bits,
            accounts: 3,
        };
        seen.mark(2).unwrap();
        assert_eq!(seen.mark(3), Err(TradingError::AccountTooYoung));
        assert_eq!(seen.mark(8), Err(TradingError::AccountTooYoung));
    }

    #[test]
    fn a_mark_is_taken_away_once() {
        let mut bits = [0; 1];
        let mut seen = Seen {
            bits: &mut bits,
            accounts: 8,
        };
        seen.mark(5).unwrap();
        assert_eq!(seen.unmark(4), Err(TradingError::AlreadyReturned));
        seen.unmark(5).unwrap();
        assert_eq!(seen.unmark(5), Err(TradingError::AlreadyReturned));
        assert_eq!(seen.unmark(8), Err(TradingError::AlreadyReturned));
    }
}
