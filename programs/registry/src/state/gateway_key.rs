//! A gateway's signing key and its time of validity. Never closed: old signatures stay checkable.
//!
//! Its address follows from the key alone, so a key belongs to one gateway for good.
use crate::errors::RegistryError;
use anchor_lang::prelude::*;

/// Most seconds between a key's registration and the start of its validity.
pub const MAX_LEAD_S: i64 = 30 * 86_400;
/// Most seconds that a key's validity may start before its gateway's registration: registering takes a moment, and
/// clocks differ. Earlier, the key could sign readings from before the gateway was there.
pub const MAX_BACKDATE_S: i64 = 3_600;

#[account]
#[derive(InitSpace)]
pub struct GatewayKey {
    /// The gateway's account.
    pub gateway: Pubkey,
    /// Ed25519 public key.
    pub key: Pubkey,
    /// Start of validity, in Unix seconds.
    pub valid_from_s: i64,
    /// End of validity, exclusive, in Unix seconds; 0 while it has no end.
    pub valid_until_s: i64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl GatewayKey {
    /// Ends the key at Unix second `at_s`: no earlier than an hour ago, because what it has signed stays checkable, and
    /// before an end that was set already.
    pub fn end_at(&mut self, at_s: i64, now_s: i64) -> Result<()> {
        let earliest_s = now_s.saturating_sub(MAX_BACKDATE_S).max(self.valid_from_s);
        require!(at_s >= earliest_s, RegistryError::InvalidValidUntil);
        require!(
            self.valid_until_s == 0 || at_s < self.valid_until_s,
            RegistryError::KeyEndsSooner
        );
        self.valid_until_s = at_s;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_000_000;

    fn key(valid_from_s: i64) -> GatewayKey {
        GatewayKey {
            gateway: Pubkey::default(),
            key: Pubkey::default(),
            valid_from_s,
            valid_until_s: 0,
            bump: 255,
        }
    }

    #[test]
    fn an_end_lies_an_hour_back_at_most() {
        assert!(key(1).end_at(NOW_S - MAX_BACKDATE_S - 1, NOW_S).is_err());
        key(1).end_at(NOW_S - MAX_BACKDATE_S, NOW_S).unwrap();
        key(1).end_at(i64::MAX, NOW_S).unwrap();
    }

    #[test]
    fn a_key_ends_no_sooner_than_it_begins() {
        assert!(key(NOW_S + 5).end_at(NOW_S + 4, NOW_S).is_err());
        key(NOW_S + 5).end_at(NOW_S + 5, NOW_S).unwrap();
    }

    #[test]
    fn an_end_only_comes_closer() {
        let mut key = key(1);
        key.end_at(NOW_S + 10, NOW_S).unwrap();
        assert!(key.end_at(NOW_S + 10, NOW_S).is_err());
        key.end_at(NOW_S + 9, NOW_S).unwrap();
        assert_eq!(key.valid_until_s, NOW_S + 9);
    }
}
