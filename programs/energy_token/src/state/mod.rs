//! Accounts of the program, one per file.

mod attested_energy;
mod cancellation;
mod certificate;
mod certificate_holding;
mod device;
mod energy;
mod minted_interval;
mod producer;

pub use attested_energy::AttestedEnergy;
pub use cancellation::{Cancellation, MAX_STATEMENT_BYTES};
pub use certificate::{
    next_attested_s, Certificate, CERTIFIED_FROM_S, MAX_PRODUCTION_S, OBJECTION_S,
};
pub use certificate_holding::CertificateHolding;
pub use device::{Device, EnergySource};
pub use energy::{State, ENERGY_DECIMALS, MINT_BYTES, TOKEN_ACCOUNT_BYTES};
pub use minted_interval::{MintedInterval, MINTABLE_S};
pub use producer::Producer;
