//! A gateway's signing key and when it was valid. Never closed: old signatures stay checkable.
//!
//! Its address follows from the key alone, so a key belongs to one gateway for good.
use crate::errors::RegistryError;
use anchor_lang::prelude::*;

/// How far ahead a key may be announced, in seconds.
pub const MAX_LEAD_S: i64 = 30 * 86_400;
/// How long before its gateway's registration a key may have signed, in seconds: registering takes a moment, and clocks
/// differ. Further back it would make up readings from before the gateway.
pub const MAX_BACKDATE_S: i64 = 3_600;

#[account]
#[derive(InitSpace)]
pub struct GatewayKey {
    /// The gateway's account.
    pub gateway: Pubkey,
    /// Ed25519 public key.
    pub key: Pubkey,
    /// First unix second at which the key may sign.
    pub valid_from: i64,
    /// First unix second at which it may no longer sign; 0 while it has no end.
    pub valid_until: i64,
    /// Of this account's address.
    pub bump: u8,
}

impl GatewayKey {
    /// Lets the key end at `at`: no earlier than an hour ago, because what it has signed stays checkable, and before an
    /// end that was set already, which can only come closer.
    pub fn end(&mut self, at: i64, now: i64) -> Result<()> {
        let earliest = now.saturating_sub(MAX_BACKDATE_S).max(self.valid_from);
        require!(at >= earliest, RegistryError::InvalidValidUntil);
        require!(
            self.valid_until == 0 || at < self.valid_until,
            RegistryError::KeyEndsSooner
        );
        self.valid_until = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn key(valid_from: i64) -> GatewayKey {
        GatewayKey {
            gateway: Pubkey::default(),
            key: Pubkey::default(),
            valid_from,
            valid_until: 0,
            bump: 255,
        }
    }

    #[test]
    fn an_end_lies_an_hour_back_at_most() {
        assert!(key(1).end(NOW - MAX_BACKDATE_S - 1, NOW).is_err());
        key(1).end(NOW - MAX_BACKDATE_S, NOW).unwrap();
        key(1).end(i64::MAX, NOW).unwrap();
    }

    #[test]
    fn a_key_ends_no_sooner_than_it_begins() {
        assert!(key(NOW + 5).end(NOW + 4, NOW).is_err());
        key(NOW + 5).end(NOW + 5, NOW).unwrap();
    }

    #[test]
    fn an_end_only_comes_closer() {
        let mut key = key(1);
        key.end(NOW + 10, NOW).unwrap();
        assert!(key.end(NOW + 10, NOW).is_err());
        key.end(NOW + 9, NOW).unwrap();
        assert_eq!(key.valid_until, NOW + 9);
    }
}
