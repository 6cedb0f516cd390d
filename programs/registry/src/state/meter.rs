//! A meter: whose it is, which gateway reads it, and what it can physically do.
use super::{require_change, Participant, MAX_ID};
use crate::errors::RegistryError;
use anchor_lang::prelude::*;
use shared::meters::MAX_RATED_POWER_W;

/// How long ago a meter may have been replaced, in seconds: what it measured can be corrected for 72 hours.
pub const MAX_SWAP_BACKDATE_S: i64 = 72 * 3_600;

#[account]
#[derive(InitSpace)]
pub struct Meter {
    /// Its name in readings and bills.
    #[max_len(MAX_ID)]
    pub id: String,
    /// The wallet of the participant whose energy it measures.
    pub owner: Pubkey,
    /// The account of the gateway that reads it.
    pub gateway: Pubkey,
    /// 1 load, 2 generation, 3 bidirectional.
    pub kind: u8,
    /// No reading can exceed it.
    pub rated_power_w: u32,
    /// SHA-256 of the serial number on its plate.
    pub serial_hash: [u8; 32],
    /// 1 active, 2 suspended, 3 retired.
    pub status: u8,
    /// Where it is.
    pub zone: [u8; 16],
    /// Unix time since when it has this status and this owner.
    pub since: i64,
    /// The account of the first meter at its place, where this is not the first.
    pub usage_point: Option<Pubkey>,
    /// Of this account's address.
    pub bump: u8,
}

impl Meter {
    /// Gives the meter a status as of `at`: now, or as long ago as corrections reach, but not before it got the status and
    /// the owner that it has.
    pub fn change_status(&mut self, status: u8, at: i64, now: i64) -> Result<()> {
        require_change(self.status, status)?;
        let earliest = now.saturating_sub(MAX_SWAP_BACKDATE_S);
        let earliest = earliest.max(self.since);
        require!(
            (earliest..=now).contains(&at),
            RegistryError::InvalidSwapTime
        );
        self.status = status;
        self.since = at;
        Ok(())
    }

    /// Gives the meter to another participant and tells whose it was.
    pub fn change_owner(&mut self, to: &Participant, now: i64) -> Result<Pubkey> {
        require_keys_neq!(self.owner, to.wallet, RegistryError::OwnerUnchanged);
        self.since = now;
        Ok(core::mem::replace(&mut self.owner, to.wallet))
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            (1..=3).contains(&self.kind),
            RegistryError::InvalidMeterKind
        );
        require!(
            (1..=MAX_RATED_POWER_W).contains(&self.rated_power_w),
            RegistryError::InvalidRatedPower
        );
        Ok(())
    }
}

/// 1 to 32 of A-Z, 0-9 and _.
pub fn is_meter_id(id: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{ACTIVE, RETIRED, SUSPENDED};

    const NOW: i64 = 1_750_000_500;

    fn meter(status: u8, since: i64) -> Meter {
        Meter {
            id: "METER_001".into(),
            owner: Pubkey::new_from_array([1; 32]),
            gateway: Pubkey::new_from_array([2; 32]),
            kind: 3,
            rated_power_w: 10_000,
            serial_hash: [0; 32],
            status,
            zone: [0; 16],
            since,
            usage_point: None,
            bump: 255,
        }
    }

    #[test]
    fn a_status_begins_72_hours_ago_at_most() {
        let earliest = NOW - MAX_SWAP_BACKDATE_S;
        for (at, allowed) in [
            (earliest - 1, false),
            (earliest, true),
            (NOW, true),
            (NOW + 1, false),
        ] {
            let changed = meter(ACTIVE, 0).change_status(RETIRED, at, NOW);
            assert_eq!(changed.is_ok(), allowed, "{at}");
        }
    }

    #[test]
    fn a_status_begins_after_the_one_before() {
        for mut meter in [meter(ACTIVE, NOW - 5), meter(SUSPENDED, NOW - 5)] {
            assert!(meter.change_status(RETIRED, NOW - 6, NOW).is_err());
            meter.change_status(RETIRED, NOW - 5, NOW).unwrap();
            assert_eq!((meter.status, meter.since), (RETIRED, NOW - 5));
            assert!(meter.change_status(ACTIVE, NOW, NOW).is_err());
        }
    }

    #[test]
    fn ids_are_short_upper_case_names() {
        for good in ["METER_001", "_", &"A".repeat(32)] {
            assert!(is_meter_id(good), "{good}");
        }
        for bad in ["", "meter", "METER-1", "METER 1", "MÉTER", &"A".repeat(33)] {
            assert!(!is_meter_id(bad), "{bad}");
        }
    }
}
