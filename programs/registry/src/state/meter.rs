//! A meter: whose it is, which gateway reads it, and what it can physically do.
use super::MAX_ID;
use crate::errors::RegistryError;
use anchor_lang::prelude::*;
use shared::meters::MAX_RATED_POWER_W;

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
    /// Unix time.
    pub registered_at: i64,
    /// Of this account's address.
    pub bump: u8,
}

impl Meter {
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
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

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
