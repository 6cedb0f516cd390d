//! Proposes an action to the authority set.
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
        seeds = [seeds::PROPOSAL, &authority.proposal_count.to_le_bytes()],
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
        let now_s = Clock::get()?.unix_timestamp;
        let index = accounts.authority.proposal_count;
        let member_index = accounts.authority.member_index(accounts.member.key)?;
        accounts.authority.proposal_count =
            index.checked_add(1).ok_or(GovernanceError::Overflow)?;
        accounts.proposal.set_inner(Proposal {
            index,
            action: action.clone(),
            approvals: 0,
            set_index: accounts.authority.set_index,
            status: ProposalStatus::Open,
            proposer: accounts.member.key(),
            created_at_s: now_s,
            approved_at_s: 0,
            executed_at_s: 0,
            poll: None,
            bump: ctx.bumps.proposal,
        });
        accounts
            .proposal
            .approve(member_index, &accounts.authority, now_s)?;
        emit!(Proposed {
            proposal_index: index,
            proposer: accounts.member.key(),
            action,
        });
        Ok(())
    }
}
