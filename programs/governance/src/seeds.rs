//! The addresses of this program's accounts.
//!
//! Accounts of different types are never the same, so `dup` spares Anchor's check for it, a hash set of 1,500 CU.

/// `Authority`, one.
pub const AUTHORITY: &[u8] = b"authority";
/// `Params`, one.
pub const PARAMS: &[u8] = b"params";
/// `Pause`, one.
pub const PAUSE: &[u8] = b"pause";
/// `Proposal`, followed by its number as u64 little-endian.
pub const PROPOSAL: &[u8] = b"proposal";
/// `Vote`, followed by the proposal's number as u64 little-endian and the wallet.
pub const VOTE: &[u8] = b"vote";
/// Holds no data: the loader's upgrade authority of the programs.
pub const UPGRADER: &[u8] = b"upgrader";
