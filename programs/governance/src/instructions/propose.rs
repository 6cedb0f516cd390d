//! A member puts an action before the others.
use crate::{
    errors::GovernanceError,
    events::Proposed,
    seeds,
    state::{Action, Authority, Proposal, ProposalStatus},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct Propose<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// One of the authority set.
    pub member: Signer<'info>,
    #[account(mut, dup, seeds = [seeds::AUTHORITY], bump = authority.bump)]
    pub authority: Account<'info, Authority>,
    #[account(
        init,
        payer = payer,
        space = 8 + Proposal::INIT_SPACE,
        seeds = [seeds::PROPOSAL, &authority.proposals.to_le_bytes()],
        bump
    )]
    pub proposal: Account<'info, Proposal>,
    pub system_program: Program<'info, System>,
}

impl Propose<'_> {
    fn validate(&self, action: &Action) -> Result<()> {
        action.invariant()
    }

    pub fn handle(ctx: Context<Self>, action: Action) -> Result<()> {
        ctx.accounts.validate(&action)?;
        let accounts = ctx.accounts;
        let now = Clock::get()?.unix_timestamp;
        let index = accounts.authority.proposals;
        let place = accounts.authority.place_of(accounts.member.key)?;
        accounts.authority.proposals = index.checked_add(1).ok_or(GovernanceError::Overflow)?;
        accounts.proposal.set_inner(Proposal {
            index,
            action: action.clone(),
            approvals: 0,
            set_index: accounts.authority.set_index,
            status: ProposalStatus::Open,
            proposer: accounts.member.key(),
            created_at: now,
            approved_at: 0,
            executed_at: 0,
            poll: None,
            bump: ctx.bumps.proposal,
        });
        accounts.proposal.approve(place, &accounts.authority, now)?;
        emit!(Proposed {
            index,
            proposer: accounts.member.key(),
            action,
        });
        Ok(())
    }
}
