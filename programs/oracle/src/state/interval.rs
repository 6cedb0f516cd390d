//! An attested interval, one account per revision, written once.
use crate::errors::OracleError;
use anchor_lang::prelude::*;
use shared::meters::{max_energy_wh, MAX_METERS};

/// Corrections may be made this many seconds after an interval's end: a gateway sends again what it has kept for 30 days.
pub const CORRECTION_S: i64 = 40 * 86_400;
/// No correction is accepted later than this many seconds after an interval's end: an hour to reach the chain.
pub const CORRECTIONS_END_S: i64 = CORRECTION_S + 3_600;

#[account]
#[derive(InitSpace)]
pub struct Interval {
    /// Start of the interval, in Unix seconds.
    pub start_s: i64,
    /// End of the interval, exclusive, in Unix seconds.
    pub end_s: i64,
    /// Revision: 1, or the number of the correction plus 1.
    pub revision: u16,
    /// Merkle root over one leaf per meter, sorted by meter id.
    pub merkle_root: [u8; 32],
    /// Number of meters whose values are measured.
    pub meters_valid: u32,
    /// Number of meters whose values are estimated; the totals do not include them.
    pub meters_estimated: u32,
    /// Import of the valid meters in Wh, without feeders.
    pub import_wh: u64,
    /// Export of the valid meters in Wh, without feeders, which may be minted.
    pub export_wh: u64,
    /// Time of the attestation, in Unix seconds.
    pub attested_at_s: i64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl Interval {
    /// End in Unix seconds of the interval that starts at `start_s`, which must be a multiple of `interval_s`.
    pub fn end_s_for(start_s: i64, interval_s: u32) -> Result<i64> {
        let at_s = u64::try_from(start_s).map_err(|_| OracleError::NotAligned)?;
        require!(
            at_s.is_multiple_of(u64::from(interval_s)),
            OracleError::NotAligned
        );
        Ok(start_s
            .checked_add(i64::from(interval_s))
            .ok_or(OracleError::Overflow)?)
    }

    /// Number of leaves in its tree: one per meter, measured or estimated.
    pub fn leaf_count(&self) -> Result<u32> {
        let meters = self.meters_valid.checked_add(self.meters_estimated);
        Ok(meters.ok_or(OracleError::TooManyMeters)?)
    }

    /// Fails unless the valid meters can have measured these totals in `interval_s` seconds. Totals are summed up on
    /// chain, so a single wrong one must not be able to make a sum overflow.
    pub fn require_possible_totals(&self, interval_s: u32) -> Result<()> {
        require!(self.leaf_count()? <= MAX_METERS, OracleError::TooManyMeters);
        let max_wh = max_energy_wh(self.meters_valid, interval_s).ok_or(OracleError::Overflow)?;
        require!(
            self.import_wh <= max_wh && self.export_wh <= max_wh,
            OracleError::ImpossibleEnergy
        );
        Ok(())
    }

    /// Fails unless this revision follows `previous`, and corrections are still accepted at Unix second `now_s`.
    pub fn require_successor(&self, previous: Option<&Interval>, now_s: i64) -> Result<()> {
        let Some(before) = previous else {
            require!(self.revision == 1, OracleError::PreviousRevision);
            return Ok(());
        };
        require!(
            before.start_s == self.start_s && before.revision.checked_add(1) == Some(self.revision),
            OracleError::PreviousRevision
        );
        let latest_s = self.end_s.checked_add(CORRECTIONS_END_S);
        require!(
            now_s <= latest_s.ok_or(OracleError::Overflow)?,
            OracleError::TooLateToCorrect
        );
        Ok(())
    }
}
