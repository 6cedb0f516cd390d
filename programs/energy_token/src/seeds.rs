//! Seeds of the program's derived addresses (PDAs).
//!
//! An account of a type is only ever created at its one address, so elsewhere owner and discriminator prove the
//! address.

/// The only `State`.
pub const STATE: &[u8] = b"state";
/// The only Token-2022 mint of energy.
pub const MINT: &[u8] = b"mint";
/// The only token account that holds energy.
pub const POOL: &[u8] = b"pool";
/// A `MintedInterval`, followed by the interval's start in Unix seconds as i64 little-endian.
pub const MINTED: &[u8] = b"minted";
/// A `Producer`, followed by the wallet.
pub const PRODUCER: &[u8] = b"producer";
/// A `Certificate`, followed by the meter's account, the interval's start in Unix seconds as i64 and its number among
/// the certificates of this meter and interval as u16, both little-endian.
pub const CERTIFICATE: &[u8] = b"certificate";
/// A `CertificateHolding`, followed by the certificate's account and its number there as u32 little-endian.
pub const HOLDING: &[u8] = b"holding";
/// A `Cancellation`, followed by the holding's account.
pub const CANCELLATION: &[u8] = b"cancellation";
/// The market of the program `TRADING`, which burns.
pub const TRADING_MARKET: &[u8] = b"market";
