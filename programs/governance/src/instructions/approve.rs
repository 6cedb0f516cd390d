//! A member approves a proposal.
use crate::{
    events::Approved,
    seeds,
    state::{Authority, Proposal},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct Approve<'info> {
    /// One of the authority set.
    pub member: Signer<'info>,
    #[account(seeds = [seeds::AUTHORITY], bump = authority.bump)]
    pub authority: Account<'info, Authority>,
    #[account(
        mut,
        dup,
        seeds = [seeds::PROPOSAL, &proposal.index.to_le_bytes()],
        bump = proposal.bump
    )]
    pub proposal: Account<'info, Proposal>,
}

impl Approve<'_> {
    fn validate(&self, now: i64) -> Result<()> {
        self.proposal.require_live(&self.authority, now)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now)?;
        let accounts = ctx.accounts;
        let place = accounts.authority.place_of(accounts.member.key)?;
        accounts.proposal.approve(place, &accounts.authority, now)?;
        emit!(Approved {
            index: accounts.proposal.index,
            member: accounts.member.key(),
            approvals: accounts.proposal.approval_count(),
        });
        Ok(())
    }
}
