//! A member takes an approval back: what the time lock is there for.
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
        let place = accounts.authority.place_of(accounts.member.key)?;
        accounts.proposal.revoke(place, &accounts.authority)?;
        emit!(Revoked {
            index: accounts.proposal.index,
            member: accounts.member.key(),
            approvals: accounts.proposal.approval_count(),
        });
        Ok(())
    }
}
