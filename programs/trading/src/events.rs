//! Events that the program emits.
use anchor_lang::prelude::*;

/// An account was opened for a wallet.
#[event]
pub struct AccountOpened {
    pub wallet: Pubkey,
    pub number: u32,
}

/// Money was deposited; `balance_micros` is the balance after it.
#[event]
pub struct Deposited {
    pub wallet: Pubkey,
    pub amount_micros: u64,
    pub balance_micros: u64,
}

/// Money was withdrawn; `balance_micros` is the balance after it.
#[event]
pub struct Withdrawn {
    pub wallet: Pubkey,
    pub amount_micros: u64,
    pub balance_micros: u64,
}

/// A wallet set a mandate that binds intervals from Unix second `valid_from_s` to `expiry_s`.
#[event]
pub struct MandateSet {
    pub wallet: Pubkey,
    pub nonce: u64,
    pub valid_from_s: i64,
    pub expiry_s: i64,
}

/// The settlement of the interval that starts at Unix second `start_s` was opened.
#[event]
pub struct SettlementOpened {
    pub start_s: i64,
    pub lines_root: [u8; 32],
    pub line_count: u32,
    pub clearing_price_mills: u32,
    pub journal_hash: [u8; 32],
}

/// Lines `first_index` to `end_index`, exclusive, were settled.
#[event]
pub struct BatchSettled {
    pub start_s: i64,
    pub first_index: u32,
    pub end_index: u32,
}

/// A settlement was aborted: its first `settled_line_count` lines are to be returned.
#[event]
pub struct SettlementAborted {
    pub start_s: i64,
    pub settled_line_count: u32,
}

/// Lines `first_index` to `end_index`, exclusive, of an aborted settlement were returned.
#[event]
pub struct LinesReturned {
    pub start_s: i64,
    pub first_index: u32,
    pub end_index: u32,
}

/// A settlement was closed; one without lines, or whose lines were returned, has zero totals.
#[event]
pub struct SettlementClosed {
    pub start_s: i64,
    pub line_count: u32,
    pub bought_wh: u64,
    pub charges_micros: u64,
}

/// Another settler was adopted.
#[event]
pub struct SettlerAdopted {
    pub settler: Pubkey,
    pub proposal_index: u64,
}

/// Other token accounts were adopted as payees of the charges.
#[event]
pub struct PayeesAdopted {
    pub wheeling: Pubkey,
    pub platform: Pubkey,
    pub loss: Pubkey,
    pub proposal_index: u64,
}

/// The money in a vault was moved to its payee.
#[event]
pub struct ChargesCollected {
    pub vault: Pubkey,
    pub payee: Pubkey,
    pub amount_micros: u64,
}
