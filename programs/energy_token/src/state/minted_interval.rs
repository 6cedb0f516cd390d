//! What was minted for an interval. The account is the proof that it happened once, so it is never closed.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct MintedInterval {
    /// First unix second of the interval.
    pub start: i64,
    /// Its valid export in Wh, as revision 1 attested it; may be 0.
    pub wh: u64,
    /// True once the interval is closed and its energy burned.
    pub burned: bool,
    /// Of this account's address.
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
            start: 900,
            wh: 1,
            burned: false,
            bump: 255,
        };
        minted.burn().unwrap();
        assert!(minted.burn().is_err());
    }
}
