//! Accounts of the program, one file each.

mod cancellation;
mod certificate;
mod certificate_holding;
mod device;
mod energy;
mod minted_interval;

pub use cancellation::{Cancellation, MAX_STATEMENT};
pub use certificate::{Certificate, MAX_PRODUCTION_S, OBJECTION_S};
pub use certificate_holding::CertificateHolding;
pub use device::{Device, EnergySource};
pub use energy::{State, ENERGY_DECIMALS, MINT_SIZE, TOKEN_ACCOUNT_SIZE};
pub use minted_interval::MintedInterval;
