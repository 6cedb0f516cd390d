//! A meter: its owner, the gateway that reads it, and its rated power.
use super::{require_status_change, Participant, MAX_ID_BYTES};
use crate::errors::RegistryError;
use anchor_lang::prelude::*;
use shared::meters::MAX_RATED_POWER_W;

/// Kinds of meters.
pub mod kind {
    /// Measures what is used.
    pub const LOAD: u8 = 1;
    /// Measures what is generated.
    pub const GENERATION: u8 = 2;
    /// Measures both.
    pub const BIDIRECTIONAL: u8 = 3;
    /// Measures what flows into a zone and out of it, which the meters behind it measure as well: it stands in an
    /// interval's tree and in no total, and nothing of it is traded, minted or certified.
    pub const FEEDER: u8 = 4;
}

/// Most seconds that a replacement may lie in the past: until then nothing is certified.
pub const MAX_SWAP_BACKDATE_S: i64 = 72 * 3_600;

#[account]
#[derive(InitSpace)]
pub struct Meter {
    /// Id of the meter in readings and bills.
    #[max_len(MAX_ID_BYTES)]
    pub id: String,
    /// Wallet of the participant whose energy it measures.
    pub owner: Pubkey,
    /// Account of the gateway that reads it.
    pub gateway: Pubkey,
    /// 1 load, 2 generation, 3 bidirectional, 4 feeder.
    pub kind: u8,
    /// Rated power in W, which no reading can exceed.
    pub rated_power_w: u32,
    /// SHA-256 of the serial number on its plate.
    pub serial_hash: [u8; 32],
    /// 1 active, 2 suspended, 3 retired.
    pub status: u8,
    /// Grid zone of the meter.
    pub zone: [u8; 16],
    /// Time since when it has this status and this owner, in Unix seconds.
    pub since_s: i64,
    /// Account of the first meter at its usage point; None when this is the first.
    pub usage_point: Option<Pubkey>,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl Meter {
    /// Changes the status as of Unix second `at_s`: now, or as long ago as nothing is certified yet, but not before it got the
    /// status and the owner that it has.
    pub fn change_status(&mut self, status: u8, at_s: i64, now_s: i64) -> Result<()> {
        require_status_change(self.status, status)?;
        let earliest_s = now_s.saturating_sub(MAX_SWAP_BACKDATE_S);
        let earliest_s = earliest_s.max(self.since_s);
        require!(
            (earliest_s..=now_s).contains(&at_s),
            RegistryError::InvalidSwapTime
        );
        self.status = status;
        self.since_s = at_s;
        Ok(())
    }

    /// Changes the owner at Unix second `now_s` and returns the former one.
    pub fn change_owner(&mut self, to: &Participant, now_s: i64) -> Result<Pubkey> {
        require_keys_neq!(self.owner, to.wallet, RegistryError::OwnerUnchanged);
        self.since_s = now_s;
        Ok(core::mem::replace(&mut self.owner, to.wallet))
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            (kind::LOAD..=kind::FEEDER).contains(&self.kind),
            RegistryError::InvalidMeterKind
        );
        require!(
            (1..=MAX_RATED_POWER_W).contains(&self.rated_power_w),
            RegistryError::InvalidRatedPower
        );
        Ok(())
    }
}

/// Whether the id is 1 to 32 of A-Z, 0-9 and _.
pub fn is_meter_id(id: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{ACTIVE, RETIRED, SUSPENDED};

    const NOW_S: i64 = 1_750_000_500;

    fn meter(status: u8, since_s: i64) -> Meter {
        Meter {
            id: "METER_001".into(),
            owner: Pubkey::new_from_array([1; 32]),
            gateway: Pubkey::new_from_array([2; 32]),
            kind: 3,
            rated_power_w: 10_000,
            serial_hash: [0; 32],
            status,
            zone: [0; 16],
            since_s,
            usage_point: None,
            bump: 255,
        }
    }

    #[test]
    fn a_status_begins_72_hours_ago_at_most() {
        let earliest_s = NOW_S - MAX_SWAP_BACKDATE_S;
        for (at_s, allowed) in [
            (earliest_s - 1, false),
            (earliest_s, true),
            (NOW_S, true),
            (NOW_S + 1, false),
        ] {
            let changed = meter(ACTIVE, 0).change_status(RETIRED, at_s, NOW_S);
            assert_eq!(changed.is_ok(), allowed, "{at_s}");
        }
    }

    #[test]
    fn a_status_begins_after_the_one_before() {
        for mut meter in [meter(ACTIVE, NOW_S - 5), meter(SUSPENDED, NOW_S - 5)] {
            assert!(meter.change_status(RETIRED, NOW_S - 6, NOW_S).is_err());
            meter.change_status(RETIRED, NOW_S - 5, NOW_S).unwrap();
            assert_eq!((meter.status, meter.since_s), (RETIRED, NOW_S - 5));
            assert!(meter.change_status(ACTIVE, NOW_S, NOW_S).is_err());
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
