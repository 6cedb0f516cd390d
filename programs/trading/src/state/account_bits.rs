//! Bitmap of the accounts that have a line in an interval, stored after the settlement's fields.
use crate::errors::{ensure, RuleResult, TradingError};

pub struct AccountBits<'a> {
    pub bits: &'a mut [u8],
    /// Number of accounts of the market when the settlement opened; the last byte may have room for more.
    pub account_count: u32,
}

impl AccountBits<'_> {
    /// Bytes for the bits of `account_count` accounts.
    pub const fn size_for(account_count: u32) -> usize {
        account_count.div_ceil(8) as usize
    }

    /// Sets the bit of account `number`; fails when it is set.
    #[inline(always)]
    pub fn set(&mut self, number: u32) -> RuleResult<()> {
        ensure(number < self.account_count, TradingError::AccountTooYoung)?;
        let bit = 1u8 << (number & 7);
        let byte = self.bits.get_mut((number >> 3) as usize);
        let byte = byte.ok_or(TradingError::Overflow)?;
        ensure(*byte & bit == 0, TradingError::AccountAlreadySettled)?;
        *byte |= bit;
        Ok(())
    }

    /// Clears the bit of account `number`; fails when it is not set.
    pub fn clear(&mut self, number: u32) -> RuleResult<()> {
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
        let mut account_bits = AccountBits {
            bits: &mut bits,
            account_count: 16,
        };
        for number in [0, 7, 8, 15, 3] {
            account_bits.set(number).unwrap();
            assert_eq!(
                account_bits.set(number),
                Err(TradingError::AccountAlreadySettled)
            );
        }
        assert_eq!(bits, [0b1000_1001, 0b1000_0001]);
    }

    #[test]
    fn bits_that_fill_up_the_last_byte_are_nobodys() {
        let mut bits = [0; 1];
        assert_eq!(AccountBits::size_for(3), 1);
        let mut account_bits = AccountBits {
            bits: &mut bits,
            account_count: 3,
        };
        account_bits.set(2).unwrap();
        assert_eq!(account_bits.set(3), Err(TradingError::AccountTooYoung));
        assert_eq!(account_bits.set(8), Err(TradingError::AccountTooYoung));
    }

    #[test]
    fn a_bit_is_cleared_once() {
        let mut bits = [0; 1];
        let mut account_bits = AccountBits {
            bits: &mut bits,
            account_count: 8,
        };
        account_bits.set(5).unwrap();
        assert_eq!(account_bits.clear(4), Err(TradingError::AlreadyReturned));
        account_bits.clear(5).unwrap();
        assert_eq!(account_bits.clear(5), Err(TradingError::AlreadyReturned));
        assert_eq!(account_bits.clear(8), Err(TradingError::AlreadyReturned));
    }
}
