//! Opens a vote of the participants on a proposal, which is executed only after the vote has ended.
use crate::{
    errors::GovernanceError,
    events::VoteOpened,
    registry::Electorate,
    seeds,
    state::{Authority, Params, Poll, Proposal},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct PutToVote<'info> {
    /// The proposer, who must still be a member of the authority set.
    pub member: Signer<'info>,
    #[account(seeds = [seeds::AUTHORITY], bump = authority.bump)]
    pub authority: Account<'info, Authority>,
    #[account(seeds = [seeds::PARAMS], bump = params.bump)]
    pub params: Account<'info, Params>,
    /// The registry's config, which has the number of active participants.
    pub registry_config: Account<'info, Electorate>,
    #[account(
        mut,
        dup,
        seeds = [seeds::PROPOSAL, &proposal.index.to_le_bytes()],
        bump = proposal.bump
    )]
    pub proposal: Account<'info, Proposal>,
}

impl PutToVote<'_> {
    fn validate(&self, now_s: i64) -> Result<()> {
        let proposal = &self.proposal;
        proposal.require_approvable(&self.authority, now_s)?;
        self.authority.member_index(self.member.key)?;
        require_keys_eq!(
            proposal.proposer,
            self.member.key(),
            GovernanceError::NotProposer
        );
        require!(proposal.poll.is_none(), GovernanceError::VoteBegun);
        require!(proposal.action.is_votable(), GovernanceError::NotVotable);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now_s)?;
        let accounts = ctx.accounts;
        let eligible_voters = accounts.registry_config.participant_count;
        let poll = Poll::open(accounts.params.vote_rules, eligible_voters, now_s)?;
        accounts.proposal.poll = Some(poll);
        emit!(VoteOpened {
            proposal_index: accounts.proposal.index,
            binding: poll.binding,
            eligible_voters,
            ends_at_s: poll.ends_at_s,
        });
        Ok(())
    }
}
