//! A production device as the issuing body states it, in the terms of EnergyTag's Granular Certificate Scheme Standard.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;

const MAX_LATITUDE_E6: i32 = 90_000_000;
const MAX_LONGITUDE_E6: i32 = 180_000_000;

/// Energy source. Storage is not among them: what a store gives back needs records of what charged it.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnergySource {
    Solar,
    Wind,
    Hydro,
    Biomass,
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Time at which it went into operation, in Unix seconds; 0 when unknown.
    pub commissioned_at_s: i64,
    /// Latitude in millionths of a degree.
    pub latitude_e6: i32,
    /// Longitude in millionths of a degree.
    pub longitude_e6: i32,
    /// Energy source.
    pub source: EnergySource,
    /// Technology code of the AIB's fact sheet 5 on energy inputs and technologies, for example T010100 for PV.
    pub technology: [u8; 8],
    /// Area in which the energy was fed in: an EIC code, filled up with zeros.
    pub grid_zone: [u8; 16],
    /// ISO 3166-1 alpha-2.
    pub country: [u8; 2],
    /// True when it receives public support for its operation.
    pub supported: bool,
}

impl Device {
    /// Fails unless the statements are well formed and the device operated at Unix second `production_start_s`.
    pub fn require_valid(&self, production_start_s: i64) -> Result<()> {
        // T, six digits and a zero
        let [kind, digits @ .., end] = &self.technology;
        let technology = *kind == b'T' && digits.iter().all(u8::is_ascii_digit) && *end == 0;
        require!(
            technology
                && self.country.iter().all(u8::is_ascii_uppercase)
                && self.grid_zone[0] != 0
                && self.latitude_e6.unsigned_abs() <= MAX_LATITUDE_E6.unsigned_abs()
                && self.longitude_e6.unsigned_abs() <= MAX_LONGITUDE_E6.unsigned_abs()
                && (0..=production_start_s).contains(&self.commissioned_at_s),
            EnergyError::InvalidDevice
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: Device = Device {
        commissioned_at_s: 900,
        latitude_e6: 13_736_700,
        longitude_e6: 100_523_100,
        source: EnergySource::Solar,
        technology: *b"T010100\0",
        grid_zone: *b"10YTH-EGAT-----1",
        country: *b"TH",
        supported: false,
    };

    #[test]
    fn what_cannot_be_is_refused() {
        let valid = |device: Device| device.require_valid(1_800).is_ok();
        assert!(valid(DEVICE));
        let bad = [
            Device {
                commissioned_at_s: 1_801,
                ..DEVICE
            },
            Device {
                commissioned_at_s: -1,
                ..DEVICE
            },
            Device {
                latitude_e6: 90_000_001,
                ..DEVICE
            },
            Device {
                latitude_e6: i32::MIN,
                ..DEVICE
            },
            Device {
                longitude_e6: -180_000_001,
                ..DEVICE
            },
            Device {
                technology: *b"T01010\0\0",
                ..DEVICE
            },
            Device {
                technology: *b"F0101000",
                ..DEVICE
            },
            Device {
                technology: *b"T0101000",
                ..DEVICE
            },
            Device {
                grid_zone: [0; 16],
                ..DEVICE
            },
            Device {
                country: *b"th",
                ..DEVICE
            },
        ];
        for device in bad {
            assert!(!valid(device), "{device:?}");
        }
        assert!(valid(Device {
            commissioned_at_s: 0,
            ..DEVICE
        }));
        assert!(valid(Device {
            latitude_e6: -90_000_000,
            longitude_e6: 180_000_000,
            ..DEVICE
        }));
    }
}
