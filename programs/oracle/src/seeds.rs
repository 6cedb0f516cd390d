//! Seeds of the program's derived addresses (PDAs).
//!
//! An account of a type is only ever created at its one address, so elsewhere owner and discriminator prove the
//! address.

/// The only `Config`.
pub const CONFIG: &[u8] = b"config";
/// An `Interval`, followed by its start in Unix seconds as i64 and its revision as u16, both little-endian.
pub const INTERVAL: &[u8] = b"interval";
