//! Casts a participant's vote on a proposal, once: one participant, one vote.
use crate::{
    errors::GovernanceError,
    events::Voted,
    registry::Voter,
    seeds,
    state::{Proposal, ProposalStatus, Vote},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct CastVote<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The voting participant's wallet.
    pub wallet: Signer<'info>,
    /// The wallet's entry in the registry.
    #[account(
        has_one = wallet @ GovernanceError::NotVoter,
        constraint = participant.is_active() @ GovernanceError::NotVoter
    )]
    pub participant: Account<'info, Voter>,
    #[account(
        mut,
        dup,
        seeds = [seeds::PROPOSAL, &proposal.index.to_le_bytes()],
        bump = proposal.bump
    )]
    pub proposal: Account<'info, Proposal>,
    #[account(
        init,
        payer = payer,
        space = 8 + Vote::INIT_SPACE,
        seeds = [seeds::VOTE, &proposal.index.to_le_bytes(), wallet.key.as_ref()],
        bump
    )]
    pub vote: Account<'info, Vote>,
    pub system_program: Program<'info, System>,
}

impl CastVote<'_> {
    fn validate(&self) -> Result<()> {
        require!(
            self.proposal.status == ProposalStatus::Open,
            GovernanceError::ProposalClosed
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, yes: bool) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let now_s = Clock::get()?.unix_timestamp;
        let (proposal_index, wallet) = (accounts.proposal.index, accounts.wallet.key());
        let poll = accounts.proposal.poll.as_mut();
        let poll = poll.ok_or(GovernanceError::NoVote)?;
        poll.count_vote(yes, accounts.participant.registered_at_s, now_s)?;
        accounts.vote.set_inner(Vote {
            proposal_index,
            wallet,
            yes,
            voted_at_s: now_s,
            bump: ctx.bumps.vote,
        });
        emit!(Voted {
            proposal_index,
            wallet,
            yes,
            yes_votes: poll.yes_votes,
            no_votes: poll.no_votes,
        });
        Ok(())
    }
}
