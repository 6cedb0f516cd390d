//! Minted energy of an interval. The account prevents a second mint, so it is never closed.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct MintedInterval {
    /// Start of the interval, in Unix seconds.
    pub start_s: i64,
    /// Minted Wh: the valid export that revision 1 attested; may be 0.
    pub wh: u64,
    /// True once the interval is closed and its energy burned.
    pub burned: bool,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl MintedInterval {
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
