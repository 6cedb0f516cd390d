//! What this program tells the world.
use crate::state::{Action, RateSet};
use anchor_lang::prelude::*;

/// The authority set was founded.
#[event]
pub struct AuthorityFounded {
    pub rec_validator: Pubkey,
    pub members: Vec<Pubkey>,
    pub threshold: u8,
}

/// A member put an action before the others.
#[event]
pub struct Proposed {
    pub index: u64,
    pub proposer: Pubkey,
    pub action: Action,
}

/// A member approved; `approvals` counts everyone so far.
#[event]
pub struct Approved {
    pub index: u64,
    pub member: Pubkey,
    pub approvals: u8,
}

/// A proposal was carried out.
#[event]
pub struct Executed {
    pub index: u64,
}

/// Rates will be in force from `rates.effective_from`.
#[event]
pub struct RatesScheduled {
    pub rates: RateSet,
}

/// New settlements are stopped, or allowed again.
#[event]
pub struct PauseSet {
    pub paused: bool,
    pub since: i64,
}

/// A member took an approval back; `approvals` counts everyone left.
#[event]
pub struct Revoked {
    pub index: u64,
    pub member: Pubkey,
    pub approvals: u8,
}

/// Another authority set decides from now on.
#[event]
pub struct AuthorityChanged {
    pub set_index: u32,
    pub rec_validator: Pubkey,
    pub members: Vec<Pubkey>,
    pub threshold: u8,
}

/// The participants are asked.
#[event]
pub struct VoteOpened {
    pub index: u64,
    pub binding: bool,
    pub eligible: u32,
    pub ends_at: i64,
}

/// A participant voted; `yes_votes` and `no_votes` count everyone so far.
#[event]
pub struct Voted {
    pub index: u64,
    pub wallet: Pubkey,
    pub yes: bool,
    pub yes_votes: u32,
    pub no_votes: u32,
}

/// A program has new code.
#[event]
pub struct Upgraded {
    pub program: Pubkey,
    pub code_hash: [u8; 32],
}

/// Somebody else may replace a program's code, or nobody any more.
#[event]
pub struct UpgradeAuthorityChanged {
    pub program: Pubkey,
    pub authority: Option<Pubkey>,
}
