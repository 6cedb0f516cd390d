//! Accounts of the program, one file each.

mod authority;
mod params;
mod pause;
mod proposal;
mod rates;

pub use authority::{Authority, MAX_MEMBERS};
pub use params::{Params, MAX_AHEAD_S, MAX_TIME_LOCK_S, MIN_TIME_LOCK_S};
pub use pause::Pause;
pub use proposal::{Action, Proposal, ProposalStatus, PROPOSAL_LIFETIME_S};
pub use rates::{RateSet, MAX_PRICE_MILLS};
