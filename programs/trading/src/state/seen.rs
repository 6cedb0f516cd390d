//! Which accounts have a line in an interval: one bit for each, behind the settlement's fixed part.
use crate::errors::{ensure, Ruling, TradingError};

pub struct Seen<'a> {
    pub bits: &'a mut [u8],
}

impl Seen<'_> {
    /// Bytes for this many accounts.
    pub const fn size_for(accounts: u32) -> usize {
        accounts.div_ceil(8) as usize
    }

    /// Marks account `number`, once.
    #[inline(always)]
    pub fn mark(&mut self, number: u32) -> Ruling<()> {
        let bit = 1u8 << (number & 7);
        let byte = self.bits.get_mut((number >> 3) as usize);
        let byte = byte.ok_or(TradingError::AccountAlreadySettled)?;
        ensure(*byte & bit == 0, TradingError::AccountAlreadySettled)?;
        *byte |= bit;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_once() {
        let mut bits = [0; 2];
        assert_eq!(Seen::size_for(9), 2);
        let mut seen = Seen { bits: &mut bits };
        for number in [0, 7, 8, 15, 3] {
            seen.mark(number).unwrap();
            assert_eq!(seen.mark(number), Err(TradingError::AccountAlreadySettled));
        }
        assert_eq!(seen.mark(16), Err(TradingError::AccountAlreadySettled));
        assert_eq!(bits, [0b1000_1001, 0b1000_0001]);
    }
}
