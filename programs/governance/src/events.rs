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
