//! Events that the program emits.
use crate::state::{Action, RateSet};
use anchor_lang::prelude::*;

/// The first authority set was initialized.
#[event]
pub struct AuthorityFounded {
    pub rec_validator: Pubkey,
    pub members: Vec<Pubkey>,
    pub threshold: u8,
}

/// A member proposed an action.
#[event]
pub struct Proposed {
    pub proposal_index: u64,
    pub proposer: Pubkey,
    pub action: Action,
}

/// A member approved a proposal; `approval_count` is the number of approvals after it.
#[event]
pub struct Approved {
    pub proposal_index: u64,
    pub member: Pubkey,
    pub approval_count: u8,
}

/// A proposal was executed.
#[event]
pub struct Executed {
    pub proposal_index: u64,
}

/// Rates were scheduled to be in force from `rates.effective_from_s` on.
#[event]
pub struct RatesScheduled {
    pub rates: RateSet,
}

/// The opening of settlements was paused, or resumed, at Unix second `since_s`.
#[event]
pub struct PauseSet {
    pub paused: bool,
    pub since_s: i64,
}

/// A member revoked an approval; `approval_count` is the number of approvals after it.
#[event]
pub struct Revoked {
    pub proposal_index: u64,
    pub member: Pubkey,
    pub approval_count: u8,
}

/// Another authority set came into force.
#[event]
pub struct AuthorityChanged {
    pub set_index: u32,
    pub rec_validator: Pubkey,
    pub members: Vec<Pubkey>,
    pub threshold: u8,
}

/// A vote of the participants was opened; it ends at Unix second `ends_at_s`, exclusive.
#[event]
pub struct VoteOpened {
    pub proposal_index: u64,
    pub binding: bool,
    pub eligible_voters: u32,
    pub ends_at_s: i64,
}

/// A participant voted; `yes_votes` and `no_votes` are the counts after it.
#[event]
pub struct Voted {
    pub proposal_index: u64,
    pub wallet: Pubkey,
    pub yes: bool,
    pub yes_votes: u32,
    pub no_votes: u32,
}

/// A program's code was upgraded.
#[event]
pub struct Upgraded {
    pub program: Pubkey,
    pub code_hash: [u8; 32],
}

/// A program's upgrade authority was changed; None makes the program immutable.
#[event]
pub struct UpgradeAuthorityChanged {
    pub program: Pubkey,
    pub authority: Option<Pubkey>,
}
