//! Accounts of the program, one file each.

mod certificate;
mod certificate_holding;
mod energy;
mod minted_interval;

pub use certificate::{Certificate, EnergySource};
pub use certificate_holding::CertificateHolding;
pub use energy::{State, ENERGY_DECIMALS, MINT_SIZE, TOKEN_ACCOUNT_SIZE};
pub use minted_interval::MintedInterval;
