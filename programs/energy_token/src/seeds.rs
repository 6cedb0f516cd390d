//! The addresses of this program's accounts.
//!
//! An account of a type is only ever created at its one address, so elsewhere owner and discriminator prove the address.

/// `State`, one.
pub const STATE: &[u8] = b"state";
/// The Token-2022 mint of energy, one.
pub const MINT: &[u8] = b"mint";
/// The token account that holds all energy, one.
pub const POOL: &[u8] = b"pool";
/// `MintedInterval`, followed by the interval's start as i64 little-endian.
pub const MINTED: &[u8] = b"minted";
/// `Certificate`, followed by the meter's account and the interval's start as i64 little-endian.
pub const CERTIFICATE: &[u8] = b"certificate";
/// `CertificateHolding`, followed by the certificate's account and its number there as u32 little-endian.
pub const HOLDING: &[u8] = b"holding";
/// `Cancellation`, followed by the holding's account.
pub const CANCELLATION: &[u8] = b"cancellation";
/// The trading program's market, which burns. Of the program `TRADING`.
pub const TRADING_MARKET: &[u8] = b"market";
