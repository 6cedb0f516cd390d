//! Revokes a member's approval; the time lock leaves time for it.
use crate::{
    events::Revoked,
    seeds,
    state::{Authority, Proposal},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct Revoke<'info> {
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

impl Revoke<'_> {
    fn validate(&self) -> Result<()> {
        self.proposal.require_open(&self.authority)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let member_index = accounts.authority.member_index(accounts.member.key)?;
        accounts
            .proposal
            .revoke(member_index, &accounts.authority)?;
        emit!(Revoked {
            proposal_index: accounts.proposal.index,
            member: accounts.member.key(),
            approval_count: accounts.proposal.approval_count(),
        });
        Ok(())
    }
}
