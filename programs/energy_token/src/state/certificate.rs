//! A granular certificate: one meter's attested export in one interval, with the attributes that EnergyTag's Granular
//! Certificate Scheme Standard names. Its Wh lie in holdings. Never closed: the account is what keeps it from being
//! issued twice.
use super::Device;
use crate::errors::EnergyError;
use anchor_lang::prelude::*;
use oracle::state::{Interval, CORRECTIONS_END_S, CORRECTION_S};
use shared::Wh;

/// Seconds in which an attestation can be objected to before certificates follow it.
pub const OBJECTION_S: i64 = CORRECTION_S;
/// Longest interval of a granular certificate in seconds, by the standard.
pub const MAX_PRODUCTION_S: i64 = 3_600;

#[account(zero_copy)]
#[derive(Debug)]
pub struct Certificate {
    /// The issuing body: the REC validator that signed the issue.
    pub issuing_body: Pubkey,
    /// Production device: the registry's account of the meter.
    pub meter: Pubkey,
    /// The wallet that the certificate was issued to.
    pub producer: Pubkey,
    /// Evidence: the root of the interval's revision, to which the meter's energy was proven.
    pub evidence_root: [u8; 32],
    /// Start of production, in Unix seconds.
    pub production_start_s: i64,
    /// End of production, exclusive, in Unix seconds.
    pub production_end_s: i64,
    /// Time of issue, in Unix seconds.
    pub issued_at_s: i64,
    /// Face value in Wh: the sum of all holdings, cancelled ones included.
    pub face_value_wh: u64,
    /// Cancelled part of the face value, in Wh.
    pub cancelled_wh: u64,
    /// Time at which the device went into operation, in Unix seconds; 0 when unknown.
    pub commissioned_at_s: i64,
    /// Number of holdings so far, and the number of the next one.
    pub holding_count: u32,
    /// Rated power of the device, in W.
    pub rated_power_w: u32,
    /// Latitude of the device in millionths of a degree.
    pub latitude_e6: i32,
    /// Longitude of the device in millionths of a degree.
    pub longitude_e6: i32,
    /// Technology code of the AIB's fact sheet 5.
    pub technology: [u8; 8],
    /// Area in which the energy was fed in: an EIC code, filled up with zeros.
    pub grid_zone: [u8; 16],
    /// Country of the device, ISO 3166-1 alpha-2.
    pub country: [u8; 2],
    /// The interval's revision that the amount follows, its last.
    pub revision: u16,
    /// Energy source: the variant's number in `EnergySource`.
    pub source: u8,
    /// 1 when the device receives public support for its operation.
    pub supported: u8,
    /// Bump seed of this account's address.
    pub bump: u8,
    /// Padding, zero.
    pub reserved: [u8; 1],
}

impl Certificate {
    /// Sets what the issuing body states about the device.
    pub fn set_device(&mut self, device: &Device) {
        self.commissioned_at_s = device.commissioned_at_s;
        self.latitude_e6 = device.latitude_e6;
        self.longitude_e6 = device.longitude_e6;
        self.technology = device.technology;
        self.grid_zone = device.grid_zone;
        self.country = device.country;
        self.source = device.source as u8;
        self.supported = device.supported.into();
    }

    /// Fails unless no correction is accepted at Unix second `now_s` any more, and the time to object is over.
    pub fn require_final(interval: &Interval, now_s: i64) -> Result<()> {
        let last_correction_s = interval.end_s.checked_add(CORRECTIONS_END_S);
        let objected_s = interval.attested_at_s.checked_add(OBJECTION_S);
        require!(
            last_correction_s.is_some_and(|last_s| now_s > last_s)
                && objected_s.is_some_and(|until_s| now_s >= until_s),
            EnergyError::TooEarlyToIssue
        );
        Ok(())
    }

    /// Counts a new holding and returns its number.
    pub fn next_holding_number(&mut self) -> Result<u32> {
        let number = self.holding_count;
        self.holding_count = number.checked_add(1).ok_or(EnergyError::Overflow)?;
        Ok(number)
    }

    pub fn count_cancelled(&mut self, wh: Wh) -> Result<()> {
        let cancelled = Wh(self.cancelled_wh).checked_add(wh);
        self.cancelled_wh = cancelled.ok_or(EnergyError::Overflow)?.0;
        Ok(())
    }

    /// The face value is held, and no more than it was cancelled.
    pub fn invariant(&self) -> Result<()> {
        require!(
            self.face_value_wh > 0
                && self.holding_count > 0
                && self.cancelled_wh <= self.face_value_wh
                && u64::from(self.holding_count) <= self.face_value_wh,
            EnergyError::CertificateMismatch
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_S: i64 = 3_600;

    fn interval(attested_at_s: i64) -> Interval {
        Interval {
            start_s: 0,
            end_s: 900,
            revision: 1,
            merkle_root: [0; 32],
            meters_valid: 1,
            meters_estimated: 0,
            import_wh: 0,
            export_wh: 1,
            attested_at_s,
            bump: 255,
        }
    }

    #[test]
    fn issued_when_nothing_can_change_any_more() {
        let prompt = interval(1_000);
        let last = 900 + 73 * HOUR_S;
        assert!(Certificate::require_final(&prompt, last).is_err());
        assert!(Certificate::require_final(&prompt, last + 1).is_ok());
        let late = interval(last);
        assert!(Certificate::require_final(&late, last + 72 * HOUR_S - 1).is_err());
        assert!(Certificate::require_final(&late, last + 72 * HOUR_S).is_ok());
        assert!(Certificate::require_final(&interval(i64::MAX), i64::MAX).is_err());
    }
}
