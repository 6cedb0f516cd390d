//! The addresses of this program's accounts.
//!
//! An account of a type is only ever created at its one address, so elsewhere owner and discriminator prove the address.

/// `Config`, one.
pub const CONFIG: &[u8] = b"config";
/// `Interval`, followed by its start as i64 and its revision as u16, both little-endian.
pub const INTERVAL: &[u8] = b"interval";
