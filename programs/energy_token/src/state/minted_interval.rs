//! Minted energy of an interval. The account prevents a second mint, so it is never closed.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;
use oracle::state::Interval;
use shared::Wh;

/// An interval that is attested later than this many seconds after its end mints nothing.
pub const MINTABLE_S: i64 = 7 * 86_400;

#[account]
#[derive(InitSpace)]
pub struct MintedInterval {
    /// Start of the interval, in Unix seconds.
    pub start_s: i64,
    /// Minted Wh: the valid export that revision 1 attested, or 0 when it came later than `MINTABLE_S`.
    pub wh: u64,
    /// True once the interval is closed and its energy burned.
    pub burned: bool,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl MintedInterval {
    /// Wh that revision 1 of an interval mints. What is attested so late is billed and can be certified; minting it as
    /// nothing lets the interval be closed empty like any other.
    pub fn mintable(first: &Interval) -> Result<Wh> {
        let latest_s = first.end_s.checked_add(MINTABLE_S);
        let in_time = first.attested_at_s <= latest_s.ok_or(EnergyError::Overflow)?;
        Ok(if in_time {
            Wh(first.export_wh)
        } else {
            Wh::ZERO
        })
    }

    /// Marks the interval's energy as burned, once.
    pub fn burn(&mut self) -> Result<()> {
        require!(!self.burned, EnergyError::AlreadyBurned);
        self.burned = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_attested_after_seven_days_mints_nothing() {
        for (late_s, wh) in [(0, 5), (MINTABLE_S, 5), (MINTABLE_S + 1, 0)] {
            let first = Interval {
                start_s: 0,
                end_s: 900,
                revision: 1,
                merkle_root: [0; 32],
                meters_valid: 1,
                meters_estimated: 0,
                import_wh: 0,
                export_wh: 5,
                attested_at_s: 900 + late_s,
                bump: 255,
            };
            assert_eq!(MintedInterval::mintable(&first).unwrap(), Wh(wh));
        }
    }

    #[test]
    fn burns_once() {
        let mut minted = MintedInterval {
            start_s: 900,
            wh: 1,
            burned: false,
            bump: 255,
        };
        minted.burn().unwrap();
        assert!(minted.burn().is_err());
    }
}
