//! An attested interval, one account per revision, written once.
use crate::errors::OracleError;
use anchor_lang::prelude::*;
use shared::meters::{most_wh, MAX_METERS};

/// How long after an interval's end it can be corrected.
pub const CORRECTION_S: i64 = 72 * 3_600;
/// For the last correction to reach the chain.
pub const CORRECTION_GRACE_S: i64 = 3_600;

#[account]
#[derive(InitSpace)]
pub struct Interval {
    /// First unix second of the interval.
    pub start: i64,
    /// First unix second after it.
    pub end: i64,
    /// 1, or the number of the correction plus 1.
    pub revision: u16,
    /// Over one leaf per meter, sorted by meter id.
    pub merkle_root: [u8; 32],
    /// Meters whose values are measured.
    pub meters_valid: u32,
    /// Meters whose values are estimated; they count in none of the totals.
    pub meters_estimated: u32,
    /// What the valid meters imported together.
    pub import_wh: u64,
    /// What the valid meters exported together, and may be minted.
    pub export_wh: u64,
    /// Unix time of the attestation.
    pub attested_at: i64,
    /// Of this account's address.
    pub bump: u8,
}

impl Interval {
    /// The end of an interval that starts at `start`, which must be a multiple of the length.
    pub fn end_of(start: i64, interval_s: u32) -> Result<i64> {
        let at = u64::try_from(start).map_err(|_| OracleError::NotAligned)?;
        require!(
            at.is_multiple_of(u64::from(interval_s)),
            OracleError::NotAligned
        );
        Ok(start
            .checked_add(i64::from(interval_s))
            .ok_or(OracleError::Overflow)?)
    }

    /// Leaves of its tree: one per meter, measured or estimated.
    pub fn leaf_count(&self) -> Result<u32> {
        let meters = self.meters_valid.checked_add(self.meters_estimated);
        Ok(meters.ok_or(OracleError::TooManyMeters)?)
    }

    /// Fails unless the valid meters can have measured these totals. Totals are summed up on chain for good, so a single
    /// wrong one must never be able to fill a number up.
    pub fn require_possible(&self, interval_s: u32) -> Result<()> {
        require!(self.leaf_count()? <= MAX_METERS, OracleError::TooManyMeters);
        let most = most_wh(self.meters_valid, interval_s).ok_or(OracleError::Overflow)?;
        require!(
            self.import_wh <= most && self.export_wh <= most,
            OracleError::ImpossibleEnergy
        );
        Ok(())
    }

    /// Fails unless this revision follows `previous`, and in time.
    pub fn require_successor(&self, previous: Option<&Interval>, now: i64) -> Result<()> {
        let Some(previous) = previous else {
            require!(self.revision == 1, OracleError::PreviousRevision);
            return Ok(());
        };
        require!(
            previous.start == self.start && previous.revision.checked_add(1) == Some(self.revision),
            OracleError::PreviousRevision
        );
        let latest = self.end.checked_add(CORRECTION_S + CORRECTION_GRACE_S);
        require!(
            now <= latest.ok_or(OracleError::Overflow)?,
            OracleError::TooLateToCorrect
        );
        Ok(())
    }
}
