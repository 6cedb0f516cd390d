//! A meter's energy in an interval with the proof that it was attested.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;
use oracle::state::Interval;
use shared::{
    interval_leaf::{IntervalLeaf, BLINDING_BYTES, VALID_QUALITY},
    merkle::{as_hashes, climb},
    Wh,
};

/// The meter's attested energy in Wh, with its inclusion proof.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct AttestedEnergy {
    pub import_wh: u64,
    pub export_wh: u64,
    /// Blinding of the meter's leaf.
    pub blinding: [u8; BLINDING_BYTES],
    /// Index of the leaf among the interval's meters.
    pub leaf_index: u32,
    /// Sibling hashes from the leaf up to the interval's root, 32 bytes each. As one run of bytes, because reading
    /// them one by one takes as long as hashing them.
    pub path: Vec<u8>,
}

impl AttestedEnergy {
    /// Export that may be certified, if the energy is the meter's leaf in the interval: none unless its quality is
    /// `VALID_QUALITY`.
    pub fn certifiable(&self, interval: &Interval, meter_id: &str, quality: u8) -> Result<Wh> {
        self.require_attested(interval, meter_id, quality)?;
        if quality != VALID_QUALITY {
            return Ok(Wh::ZERO);
        }
        require!(
            self.export_wh <= interval.export_wh,
            EnergyError::NotAttested
        );
        Ok(Wh(self.export_wh))
    }

    fn require_attested(&self, interval: &Interval, meter_id: &str, quality: u8) -> Result<()> {
        let leaf = IntervalLeaf {
            start_s: interval.start_s,
            end_s: interval.end_s,
            meter_id,
            import_wh: self.import_wh,
            export_wh: self.export_wh,
            quality,
            blinding: &self.blinding,
        };
        let leaf = leaf.hash().ok_or(EnergyError::NotAttested)?;
        let meters = interval.meters_valid.checked_add(interval.meters_estimated);
        let meters = meters.ok_or(EnergyError::Overflow)?;
        let path = as_hashes(&self.path).ok_or(EnergyError::NotAttested)?;
        require!(
            climb(&leaf, self.leaf_index, meters, path) == Some(interval.merkle_root),
            EnergyError::NotAttested
        );
        Ok(())
    }
}
