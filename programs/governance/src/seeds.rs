//! Seeds of the program's derived addresses (PDAs).
//!
//! Accounts of different types are never the same, so `dup` spares Anchor's check for it, a hash set of 1,500 CU.

/// The only `Authority`.
pub const AUTHORITY: &[u8] = b"authority";
/// The only `Params`.
pub const PARAMS: &[u8] = b"params";
/// The only `Pause`.
pub const PAUSE: &[u8] = b"pause";
/// A `Proposal`, followed by its index as u64 little-endian.
pub const PROPOSAL: &[u8] = b"proposal";
/// A `Vote`, followed by the proposal's index as u64 little-endian and the wallet.
pub const VOTE: &[u8] = b"vote";
/// The upgrade authority of the programs; an address without data.
pub const UPGRADER: &[u8] = b"upgrader";
