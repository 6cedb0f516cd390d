//! A granular certificate: a part of one meter's attested export in one interval, with the attributes that EnergyTag's
//! Granular Certificate Scheme Standard names. Never closed: a cancelled certificate stays visible for ever.
use anchor_lang::prelude::*;

/// Where the energy comes from.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnergySource {
    Solar,
    Wind,
    Hydro,
    Biomass,
    /// Released by a storage device; never more than what charged it.
    Storage,
}

#[account]
#[derive(InitSpace)]
pub struct Certificate {
    /// The issuing body: the REC validator that signed the issue.
    pub issuing_body: Pubkey,
    /// Production device: the registry's account of the meter.
    pub meter: Pubkey,
    /// The wallet that the certificate was issued to: the meter's owner in the interval.
    pub producer: Pubkey,
    /// The oracle's interval account whose revision the amount follows.
    pub interval: Pubkey,
    /// First unix second of production.
    pub production_start: i64,
    /// First unix second after production.
    pub production_end: i64,
    /// Unix time of issue.
    pub issued_at: i64,
    /// Unix time after which it can only be cancelled; 0 when it does not expire.
    pub expires_at: i64,
    /// Unix time at which the device went into operation; 0 when unknown.
    pub commissioned_at: i64,
    /// Issued amount in Wh. Sum of holdings and cancellations, always.
    pub face_value_wh: u64,
    /// Of the face value, what was cancelled so far, in Wh.
    pub cancelled_wh: u64,
    /// Capacity of the device in W.
    pub rated_power_w: u32,
    /// Grams of CO2 equivalent per kWh over the device's life.
    pub emission_factor_g_kwh: u32,
    /// The interval's revision that the amount follows.
    pub revision: u16,
    /// Number of the certificate among those of its meter and interval.
    pub part: u16,
    /// Energy source.
    pub source: EnergySource,
    /// Technology code of the AIB fact sheet on types of energy inputs and technologies, for example T010100 for PV.
    pub technology: [u8; 8],
    /// Grid area in which the energy was fed in: an EIC code, zero-padded.
    pub grid_zone: [u8; 16],
    /// Country of the device, ISO 3166-1 alpha-2.
    pub country: [u8; 2],
    /// Latitude of the device in millionths of a degree.
    pub latitude_e6: i32,
    /// Longitude of the device in millionths of a degree.
    pub longitude_e6: i32,
    /// True when the device received public support for its operation.
    pub supported: bool,
    /// SHA-256 of the evidence: proof of the meter's leaf under the interval's root.
    pub evidence_hash: [u8; 32],
    /// Of this account's address.
    pub bump: u8,
}
