//! What this program tells the world.
use anchor_lang::prelude::*;

/// A wallet has an account in the market.
#[event]
pub struct AccountOpened {
    pub wallet: Pubkey,
    pub number: u32,
}

/// Money came in; `balance_micros` is after it.
#[event]
pub struct Deposited {
    pub wallet: Pubkey,
    pub amount_micros: u64,
    pub balance_micros: u64,
}

/// Money went out; `balance_micros` is after it.
#[event]
pub struct Withdrawn {
    pub wallet: Pubkey,
    pub amount_micros: u64,
    pub balance_micros: u64,
}

/// A wallet signed a mandate that binds intervals from `valid_from`.
#[event]
pub struct MandateSet {
    pub wallet: Pubkey,
    pub nonce: u64,
    pub valid_from: i64,
    pub expiry: i64,
}

/// An interval's lines are committed to.
#[event]
pub struct SettlementOpened {
    pub start: i64,
    pub lines_root: [u8; 32],
    pub line_count: u32,
    pub clearing_price_mills: u32,
    pub journal_hash: [u8; 32],
}

/// Lines `first` to before `end` have moved their money.
#[event]
pub struct BatchSettled {
    pub start: i64,
    pub first: u32,
    pub end: u32,
}

/// A settlement will not go on: its first `lines` lines are to be returned.
#[event]
pub struct SettlementAborted {
    pub start: i64,
    pub lines: u32,
}

/// Lines `first` to before `end` of an aborted settlement are undone.
#[event]
pub struct LinesReturned {
    pub start: i64,
    pub first: u32,
    pub end: u32,
}

/// An interval is closed; one without lines, or whose lines were returned, has zero totals.
#[event]
pub struct SettlementClosed {
    pub start: i64,
    pub line_count: u32,
    pub bought_wh: u64,
    pub charges_micros: u64,
}

/// Another key opens, settles and closes.
#[event]
pub struct SettlerAdopted {
    pub settler: Pubkey,
    pub decision: u64,
}

/// The charges go to these token accounts from now on.
#[event]
pub struct PayeesAdopted {
    pub wheeling: Pubkey,
    pub platform: Pubkey,
    pub loss: Pubkey,
    pub decision: u64,
}

/// What lay in a vault has gone to its payee.
#[event]
pub struct ChargesCollected {
    pub vault: Pubkey,
    pub payee: Pubkey,
    pub amount_micros: u64,
}
