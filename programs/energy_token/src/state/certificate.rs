//! A granular certificate: one meter's attested export in one interval, with the attributes that EnergyTag's Granular
//! Certificate Scheme Standard names. Its Wh lie in holdings. Never closed: the account is what keeps it from being
//! issued twice.
//!
//! A meter and interval have as many certificates as revisions attested more export than was certified before. Number 0
//! counts for all of them: which revision they follow, and how many Wh of it are issued, paid a debt or taken back.
use super::Device;
use crate::errors::EnergyError;
use anchor_lang::prelude::*;
use oracle::state::Interval;
use shared::Wh;

/// Certificates follow the revision that is in force this many seconds after the interval's end, or a later one.
pub const CERTIFIED_FROM_S: i64 = 73 * 3_600;
/// Seconds in which an attestation can be objected to before certificates follow it.
pub const OBJECTION_S: i64 = 72 * 3_600;
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
    /// Face value in Wh: the sum of all holdings, cancelled ones included; 0 when all of it was withheld.
    pub face_value_wh: u64,
    /// Wh that were not issued but paid the producer's debt.
    pub withheld_wh: u64,
    /// Cancelled part of the face value, in Wh.
    pub cancelled_wh: u64,
    /// Time at which the device went into operation, in Unix seconds; 0 when unknown.
    pub commissioned_at_s: i64,
    /// Number 0 alone, else 0: Wh of the meter's attested export that are issued or withheld by all certificates of the
    /// meter and interval, less what was taken back. It is what revision `counted_revision` attests.
    pub counted_wh: u64,
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
    /// The interval's revision that the amount follows.
    pub revision: u16,
    /// Number of the certificate among those of the meter and interval, from 0.
    pub number: u16,
    /// Number 0 alone, else 0: the newest revision that was issued on or taken back by.
    pub counted_revision: u16,
    /// Number 0 alone, else 0: certificates of the meter and interval so far, and the number of the next one.
    pub certificate_count: u16,
    /// Energy source: the variant's number in `EnergySource`.
    pub source: u8,
    /// 1 when the device receives public support for its operation.
    pub supported: u8,
    /// Bump seed of this account's address.
    pub bump: u8,
    /// Padding, zero.
    pub reserved: [u8; 3],
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

    /// Fails unless certificates follow this revision at Unix second `now_s`, with the one after it attested at
    /// `next_attested_s`: the newest that was there `CERTIFIED_FROM_S` after the interval's end or came later, and has
    /// stood for `OBJECTION_S`. So there is one at most at any time, and corrections that go on cannot keep a
    /// certificate from being issued.
    pub fn require_in_force(
        interval: &Interval,
        next_attested_s: Option<i64>,
        now_s: i64,
    ) -> Result<()> {
        let from_s = interval.end_s.checked_add(CERTIFIED_FROM_S);
        let from_s = from_s.ok_or(EnergyError::Overflow)?;
        require!(
            now_s > from_s && has_stood(interval.attested_at_s, now_s),
            EnergyError::TooEarlyToIssue
        );
        let overtaken =
            next_attested_s.is_some_and(|next_s| next_s <= from_s || has_stood(next_s, now_s));
        require!(!overtaken, EnergyError::NotInForce);
        Ok(())
    }

    /// Fails unless this is number 0 of the certificates of a meter and an interval.
    pub fn require_first_of(&self, meter: Pubkey, start_s: i64) -> Result<()> {
        require!(
            self.number == 0 && self.meter == meter && self.production_start_s == start_s,
            EnergyError::WrongFirst
        );
        Ok(())
    }

    /// Counts the `export` that `revision` attests, on number 0. Returns the Wh that are not certified yet, and the
    /// number of the certificate on them.
    pub fn claim(&mut self, revision: u16, export: Wh) -> Result<(Wh, u16)> {
        let claimed = export.checked_sub(Wh(self.counted_wh));
        self.count(revision, export)?;
        let number = self.certificate_count;
        self.certificate_count = number.checked_add(1).ok_or(EnergyError::Overflow)?;
        let claimed = claimed.filter(|wh| *wh > Wh::ZERO);
        Ok((claimed.ok_or(EnergyError::NothingToCertify)?, number))
    }

    /// Counts the `export` that `revision` attests, on number 0. Returns the Wh that are certified beyond it.
    pub fn take_back(&mut self, revision: u16, export: Wh) -> Result<Wh> {
        let taken = Wh(self.counted_wh).checked_sub(export);
        self.count(revision, export)?;
        let taken = taken.filter(|wh| *wh > Wh::ZERO);
        Ok(taken.ok_or(EnergyError::NothingToTakeBack)?)
    }

    fn count(&mut self, revision: u16, export: Wh) -> Result<()> {
        require!(
            revision > self.counted_revision,
            EnergyError::RevisionCounted
        );
        self.counted_revision = revision;
        self.counted_wh = export.0;
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

    /// The face value is held, and no more than it was cancelled; without one a debt was paid.
    pub fn invariant(&self) -> Result<()> {
        require!(
            (self.face_value_wh > 0 || self.withheld_wh > 0)
                && (self.holding_count > 0) == (self.face_value_wh > 0)
                && self.cancelled_wh <= self.face_value_wh
                && u64::from(self.holding_count) <= self.face_value_wh,
            EnergyError::CertificateMismatch
        );
        Ok(())
    }
}

/// Whether the time to object to a revision is over.
fn has_stood(attested_at_s: i64, now_s: i64) -> bool {
    let objected_s = attested_at_s.checked_add(OBJECTION_S);
    objected_s.is_some_and(|until_s| now_s >= until_s)
}

/// When the revision at the oracle's next address was attested, if there is one.
pub fn next_attested_s(next_revision: &AccountInfo) -> Result<Option<i64>> {
    if *next_revision.owner != oracle::ID {
        return Ok(None);
    }
    let data = next_revision.try_borrow_data()?;
    Ok(Some(
        Interval::try_deserialize(&mut &data[..])?.attested_at_s,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_S: i64 = 3_600;
    const FROM_S: i64 = 900 + 73 * HOUR_S;

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

    fn in_force(interval: &Interval, next: Option<&Interval>, now_s: i64) -> bool {
        let next_attested_s = next.map(|next| next.attested_at_s);
        Certificate::require_in_force(interval, next_attested_s, now_s).is_ok()
    }

    #[test]
    fn followed_73_hours_after_the_end_and_72_after_the_attestation() {
        let prompt = interval(1_000);
        assert!(!in_force(&prompt, None, FROM_S));
        assert!(in_force(&prompt, None, FROM_S + 1));
        let late = interval(FROM_S);
        assert!(!in_force(&late, None, FROM_S + 72 * HOUR_S - 1));
        assert!(in_force(&late, None, FROM_S + 72 * HOUR_S));
        assert!(!in_force(&interval(i64::MAX), None, i64::MAX));
    }

    #[test]
    fn overtaken_by_one_in_time_at_once_and_by_a_later_one_when_it_has_stood() {
        let (prompt, corrected) = (interval(1_000), interval(FROM_S));
        assert!(!in_force(&prompt, Some(&corrected), FROM_S + 1));
        assert!(!in_force(&corrected, None, FROM_S + 1));
        let later = interval(FROM_S + 1);
        let stood_s = FROM_S + 1 + 72 * HOUR_S;
        for (now_s, which) in [(stood_s - 1, &prompt), (stood_s, &later)] {
            let first = which.attested_at_s == prompt.attested_at_s;
            assert_eq!(in_force(&prompt, Some(&later), now_s), first);
            assert_eq!(in_force(&later, None, now_s), !first);
        }
    }

    #[test]
    fn each_revision_counts_once_and_what_is_counted_is_what_it_attests() {
        let claim = |mut first: Certificate, revision, wh| first.claim(revision, Wh(wh));
        let take_back = |mut first: Certificate, revision, wh| first.take_back(revision, Wh(wh));
        let mut first: Certificate = bytemuck::Zeroable::zeroed();
        assert!(claim(first, 1, 0).is_err());
        assert_eq!(first.claim(2, Wh(1_000)).unwrap(), (Wh(1_000), 0));
        assert!(claim(first, 2, 1_001).is_err());
        assert!(claim(first, 3, 1_000).is_err());
        assert!(take_back(first, 2, 999).is_err());
        assert!(take_back(first, 3, 1_000).is_err());
        assert_eq!(first.take_back(4, Wh(300)).unwrap(), Wh(700));
        assert!(take_back(first, 3, 0).is_err());
        assert_eq!(first.claim(5, Wh(500)).unwrap(), (Wh(200), 1));
        assert_eq!((first.counted_wh, first.counted_revision), (500, 5));
    }
}
