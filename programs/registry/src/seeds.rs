//! Seeds of the program's derived addresses (PDAs).
//!
//! An account of a type is only ever created at its one address, so elsewhere owner and discriminator prove the
//! address. Accounts of different types are never the same, so `dup` spares Anchor's check for it, a hash set of 1,500
//! CU.

/// The only `Config`.
pub const CONFIG: &[u8] = b"config";
/// A `Participant`, followed by the wallet.
pub const PARTICIPANT: &[u8] = b"participant";
/// A `Gateway`, followed by the id.
pub const GATEWAY: &[u8] = b"gateway";
/// A `GatewayKey`, followed by the key.
pub const GATEWAY_KEY: &[u8] = b"gateway_key";
/// A `Meter`, followed by the id.
pub const METER: &[u8] = b"meter";
