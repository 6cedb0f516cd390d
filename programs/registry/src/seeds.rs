//! The addresses of this program's accounts.
//!
//! An account of a type is only ever created at its one address, so elsewhere owner and discriminator prove the address.

/// `Config`, one.
pub const CONFIG: &[u8] = b"config";
/// `Participant`, followed by the wallet.
pub const PARTICIPANT: &[u8] = b"participant";
/// `Gateway`, followed by the id.
pub const GATEWAY: &[u8] = b"gateway";
/// `GatewayKey`, followed by the gateway's address and the key.
pub const GATEWAY_KEY: &[u8] = b"gateway_key";
/// `Meter`, followed by the id.
pub const METER: &[u8] = b"meter";
