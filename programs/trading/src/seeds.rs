//! The addresses of this program's accounts.
//!
//! An account of a type is only ever created at its one address, so elsewhere owner and discriminator prove the address.

/// `Market`, one.
pub const MARKET: &[u8] = b"market";
/// The token account behind all balances, one.
pub const POOL: &[u8] = b"pool";
/// The token accounts of the charges, followed by the charge's name.
pub const VAULT: &[u8] = b"vault";
pub const WHEELING: &[u8] = b"wheeling";
pub const PLATFORM: &[u8] = b"platform";
pub const LOSS: &[u8] = b"loss";
/// `Account`, followed by the wallet.
pub const ACCOUNT: &[u8] = b"account";
/// `IntervalSettlement`, followed by the interval's start as i64 little-endian.
pub const SETTLEMENT: &[u8] = b"settlement";
