//! Governance: the authority set, its proposals and the participants' votes.
//!
//! The REC validator and its co-signers are the authority set: what they decide needs `threshold` of them, and is
//! proposed, approved and executed on chain. They decide the parameters that settlement reads, always at least the time
//! lock ahead, who attests and who registers, the programs' code, and whether new settlements may open. On some of it
//! they can ask the participants. They have no power over anybody's funds.

extern crate framework as anchor_lang;

pub mod deployment;
pub mod errors;
pub mod events;
pub mod instructions;
mod loader;
pub mod registry;
pub mod seeds;
pub mod state;

use anchor_lang::prelude::*;
pub use deployment::Deployment;
use instructions::*;
use state::{Action, RateSet};

declare_id!("6vGRUcFD4iWN464oWJVqGGbq9K6Xr5xznPG3hd8X5MNT");

#[program]
pub mod governance {
    use super::*;

    /// Founds the authority set and the first rates. Once, by the program's upgrade authority.
    pub fn initialize(
        ctx: Context<Initialize>,
        rec_validator: Pubkey,
        members: Vec<Pubkey>,
        threshold: u8,
        first_rates: RateSet,
        time_lock_s: i64,
    ) -> Result<()> {
        let args = InitializeArgs {
            rec_validator,
            members,
            threshold,
            first_rates,
            time_lock_s,
        };
        Initialize::handle(ctx, args)
    }

    /// Puts an action before the members; the proposer's approval is included.
    pub fn propose(ctx: Context<Propose>, action: Action) -> Result<()> {
        Propose::handle(ctx, action)
    }

    /// Adds a member's approval to an open proposal.
    pub fn approve(ctx: Context<Approve>) -> Result<()> {
        Approve::handle(ctx)
    }

    /// Carries out a proposal that has enough approvals. Anyone may call it.
    pub fn execute(ctx: Context<Execute>) -> Result<()> {
        Execute::handle(ctx)
    }

    /// Takes a member's approval back, as long as the proposal is not executed.
    pub fn revoke(ctx: Context<Revoke>) -> Result<()> {
        Revoke::handle(ctx)
    }

    /// Puts a proposed authority set in force, signed by enough of its members as remaining accounts.
    pub fn accept_authority<'info>(ctx: Context<'info, AcceptAuthority<'info>>) -> Result<()> {
        AcceptAuthority::handle(ctx)
    }

    /// Asks the participants about a proposal.
    pub fn put_to_vote(ctx: Context<PutToVote>) -> Result<()> {
        PutToVote::handle(ctx)
    }

    /// Casts a participant's vote, for the proposal or against it.
    pub fn cast_vote(ctx: Context<CastVote>, yes: bool) -> Result<()> {
        CastVote::handle(ctx, yes)
    }

    /// Replaces a program's code as decided. Anyone may call it.
    pub fn upgrade(ctx: Context<Upgrade>) -> Result<()> {
        Upgrade::handle(ctx)
    }

    /// Hands a program's code over as decided; the next upgrade authority signs.
    pub fn change_upgrade_authority(ctx: Context<ChangeUpgradeAuthority>) -> Result<()> {
        ChangeUpgradeAuthority::handle(ctx)
    }
}
