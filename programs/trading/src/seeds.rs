//! Seeds of the program's derived addresses (PDAs).
//!
//! An account of a type is only ever created at its one address, so elsewhere owner and discriminator prove the
//! address.

/// The only `Market`.
pub const MARKET: &[u8] = b"market";
/// The only token account behind the balances.
pub const POOL: &[u8] = b"pool";
/// The token account of a charge, followed by the charge's name.
pub const VAULT: &[u8] = b"vault";
pub const WHEELING: &[u8] = b"wheeling";
pub const PLATFORM: &[u8] = b"platform";
pub const LOSS: &[u8] = b"loss";
/// An `Account`, followed by the wallet.
pub const ACCOUNT: &[u8] = b"account";
/// An `IntervalSettlement`, followed by the interval's start in Unix seconds as i64 little-endian.
pub const SETTLEMENT: &[u8] = b"settlement";
