//! Accounts of the program and the types of their fields, one per file.

mod action;
mod attestors;
mod authority;
mod authority_set;
mod params;
mod pause;
mod poll;
mod proposal;
mod rates;
mod vote;
mod vote_rules;

pub use action::{Action, MeterOwner, NewCode, NewUpgradeAuthority, Payees};
pub use attestors::{AttestorSet, MAX_ATTESTORS};
pub use authority::{Authority, MAX_MEMBERS};
pub use authority_set::AuthoritySet;
pub use params::{Params, MAX_AHEAD_S, MAX_TIME_LOCK_S, MIN_TIME_LOCK_S};
pub use pause::Pause;
pub use poll::Poll;
pub use proposal::{Proposal, ProposalStatus, PROPOSAL_LIFETIME_S};
pub use rates::{RateSet, MAX_PRICE_MILLS};
pub use vote::Vote;
pub use vote_rules::VoteRules;
