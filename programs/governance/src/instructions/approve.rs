//! Adds a member's approval to a proposal.
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
    fn validate(&self, now_s: i64) -> Result<()> {
        self.proposal.require_approvable(&self.authority, now_s)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now_s)?;
        let accounts = ctx.accounts;
        let member_index = accounts.authority.member_index(accounts.member.key)?;
        accounts
            .proposal
            .approve(member_index, &accounts.authority, now_s)?;
        emit!(Approved {
            proposal_index: accounts.proposal.index,
            member: accounts.member.key(),
            approval_count: accounts.proposal.approval_count(),
        });
        Ok(())
    }
}
