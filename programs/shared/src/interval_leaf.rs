//! The leaf of a meter's energy in an interval, in the Merkle tree that the oracle attests.
//!
//! `edge/wire/ladder.py` makes the same bytes.

use crate::merkle::{sha256_into, Hash};

/// Measured, and neither estimated nor doubted: the only energy that is minted or certified.
pub const VALID_QUALITY: u8 = 0;
/// Longest id of a meter, in bytes.
pub const METER_ID_BYTES: usize = 32;
/// Random bytes that keep whoever holds a neighbour's proof from guessing the energy.
pub const BLINDING_BYTES: usize = 16;

const DOMAIN: &[u8] = b"peerwatt/interval/1";

/// Fields of a leaf.
#[derive(Clone, Copy, Debug)]
pub struct IntervalLeaf<'a> {
    /// Start of the interval, in Unix seconds.
    pub start_s: i64,
    /// End of the interval, exclusive, in Unix seconds.
    pub end_s: i64,
    /// Id of the meter in the registry.
    pub meter_id: &'a str,
    pub import_wh: u64,
    pub export_wh: u64,
    /// `VALID_QUALITY`, or another.
    pub quality: u8,
    pub blinding: &'a [u8; BLINDING_BYTES],
}

impl IntervalLeaf<'_> {
    /// SHA-256 of domain, start and end (i64 seconds), meter id padded with zeros, import and export (u64 Wh), quality
    /// and blinding, integers little-endian. None when the id is too long.
    pub fn hash(&self) -> Option<Hash> {
        let padding = METER_ID_BYTES.checked_sub(self.meter_id.len())?;
        let mut hash = [0; 32];
        let parts = [
            DOMAIN,
            &self.start_s.to_le_bytes(),
            &self.end_s.to_le_bytes(),
            self.meter_id.as_bytes(),
            &[0; METER_ID_BYTES][..padding],
            &self.import_wh.to_le_bytes(),
            &self.export_wh.to_le_bytes(),
            &[self.quality],
            self.blinding,
        ];
        sha256_into(&mut hash, &parts);
        Some(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(meter_id: &str) -> IntervalLeaf<'_> {
        IntervalLeaf {
            start_s: 1_750_000_500,
            end_s: 1_750_001_400,
            meter_id,
            import_wh: 100,
            export_wh: 1_000,
            quality: VALID_QUALITY,
            blinding: &[7; 16],
        }
    }

    // From edge/wire/ladder.py, so that what the hub attests is what the programs read.
    #[test]
    fn known_answer() {
        let hash = leaf("METER_001").hash().unwrap();
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "89821b03d54c084222d9b193ce084fb67c3ab9b1bba265b397b7438fceca2b5a"
        );
    }

    #[test]
    fn an_id_that_does_not_fit_has_no_leaf() {
        assert!(leaf(&"A".repeat(32)).hash().is_some());
        assert!(leaf(&"A".repeat(33)).hash().is_none());
    }
}
