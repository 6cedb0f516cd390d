//! What settlements that are not closed yet have credited to an account: part of the balance, but nobody spends it before
//! the close, because an aborted settlement takes it back.
use crate::errors::{ensure, Ruling, TradingError};
use anchor_lang::prelude::*;
use shared::Micros;

/// Settlements that can have credited accounts without being closed. Each has one of as many places, in the market and
/// in every account that it credits.
pub const PLACES: usize = 8;

/// The starts of the intervals whose settlements hold the places; 0 is a free place.
pub type Crediting = [i64; PLACES];

/// Takes a free place for the settlement of the interval that starts at `start`.
pub fn take_place(crediting: &mut Crediting, start: i64) -> Ruling<u8> {
    ensure(start > 0, TradingError::WrongInterval)?;
    let free = crediting.iter().position(|held| *held == 0);
    let place = free.ok_or(TradingError::TooManyCrediting)?;
    crediting[place] = start;
    u8::try_from(place).map_err(|_| TradingError::Overflow)
}

/// Gives a place back: what its settlement has credited is final, or was taken back.
pub fn free_place(crediting: &mut Crediting, place: u8, start: i64) -> Ruling<()> {
    let held = crediting.get_mut(usize::from(place));
    let held = held.filter(|held| **held == start);
    *held.ok_or(TradingError::Overflow)? = 0;
    Ok(())
}

#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credit {
    /// The start of the settled interval.
    pub start: i64,
    /// What the settlement has credited.
    pub micros: u64,
}

/// An account's credits by their settlements' places.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credits {
    pub places: [Credit; PLACES],
    /// Bit i is set while place i may hold a credit that is not final.
    pub used: u32,
    /// Zero.
    pub reserved: u32,
}

impl Credits {
    /// Notes a credit. Whatever stood in the place is final: its settlement has given the place back.
    #[inline(always)]
    pub fn note(&mut self, place: u8, start: i64, micros: Micros) -> Ruling<()> {
        let credit = self.places.get_mut(usize::from(place));
        *credit.ok_or(TradingError::Overflow)? = Credit {
            start,
            micros: micros.0,
        };
        self.used |= 1u32 << place;
        Ok(())
    }

    /// Forgets a credit that is taken back, and says what it was.
    pub fn forget(&mut self, place: u8, start: i64) -> Ruling<Micros> {
        let credit = self.places.get(usize::from(place));
        let credit = credit.filter(|credit| credit.start == start && self.used >> place & 1 == 1);
        let micros = credit.ok_or(TradingError::Overflow)?.micros;
        self.used &= !(1u32 << place);
        Ok(Micros(micros))
    }

    /// The sum of the credits that are not final.
    #[inline(always)]
    pub fn open(&self, crediting: &Crediting) -> Ruling<Micros> {
        if self.used == 0 {
            return Ok(Micros::ZERO);
        }
        let mut sum = Micros::ZERO;
        for (place, (credit, start)) in self.places.iter().zip(crediting).enumerate() {
            if self.used >> place & 1 == 1 && credit.start == *start {
                let more = sum.checked_add(Micros(credit.micros));
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
    fn a_credit_is_open_while_its_settlement_holds_the_place() {
        let (mut crediting, mut credits) = (Crediting::default(), Credits::default());
        let first = take_place(&mut crediting, 900).unwrap();
        let second = take_place(&mut crediting, 1_800).unwrap();
        credits.note(first, 900, Micros(5)).unwrap();
        credits.note(second, 1_800, Micros(7)).unwrap();
        assert_eq!(credits.open(&crediting), Ok(Micros(12)));
        free_place(&mut crediting, first, 900).unwrap();
        assert_eq!(credits.open(&crediting), Ok(Micros(7)));
        assert_eq!(take_place(&mut crediting, 2_700), Ok(first));
        assert_eq!(credits.open(&crediting), Ok(Micros(7)));
        credits.note(first, 2_700, Micros(1)).unwrap();
        assert_eq!(credits.open(&crediting), Ok(Micros(8)));
    }

    #[test]
    fn a_credit_is_taken_back_once_and_by_its_settlement() {
        let mut credits = Credits::default();
        credits.note(3, 900, Micros(5)).unwrap();
        assert!(credits.forget(3, 1_800).is_err());
        assert!(credits.forget(2, 900).is_err());
        assert_eq!(credits.forget(3, 900), Ok(Micros(5)));
        assert!(credits.forget(3, 900).is_err());
    }

    #[test]
    fn places_are_few_and_given_back_by_their_holder() {
        let mut crediting = Crediting::default();
        assert_eq!(
            take_place(&mut crediting, 0),
            Err(TradingError::WrongInterval)
        );
        for start in 1..=8 {
            take_place(&mut crediting, start).unwrap();
        }
        assert_eq!(
            take_place(&mut crediting, 9),
            Err(TradingError::TooManyCrediting)
        );
        assert!(free_place(&mut crediting, 4, 1).is_err());
        assert!(free_place(&mut crediting, 8, 1).is_err());
        free_place(&mut crediting, 4, 5).unwrap();
        assert_eq!(take_place(&mut crediting, 9), Ok(4));
    }
}
