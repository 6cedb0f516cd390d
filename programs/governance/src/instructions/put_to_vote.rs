//! The proposer asks the participants. From then on nothing is carried out before they have voted.
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
    /// Who made the proposal, still of the authority set.
    pub member: Signer<'info>,
    #[account(seeds = [seeds::AUTHORITY], bump = authority.bump)]
    pub authority: Account<'info, Authority>,
    #[account(seeds = [seeds::PARAMS], bump = params.bump)]
    pub params: Account<'info, Params>,
    /// The registry's, which counts the participants.
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
    fn validate(&self, now: i64) -> Result<()> {
        let proposal = &self.proposal;
        proposal.require_live(&self.authority, now)?;
        self.authority.place_of(self.member.key)?;
        require_keys_eq!(
            proposal.proposer,
            self.member.key(),
            GovernanceError::NotProposer
        );
        require!(proposal.poll.is_none(), GovernanceError::VoteBegun);
        require!(proposal.action.votable(), GovernanceError::NotVotable);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now)?;
        let accounts = ctx.accounts;
        let eligible = accounts.registry_config.participants;
        let poll = Poll::open(accounts.params.votes, eligible, now)?;
        accounts.proposal.poll = Some(poll);
        emit!(VoteOpened {
            index: accounts.proposal.index,
            binding: poll.binding,
            eligible,
            ends_at: poll.ends_at,
        });
        Ok(())
    }
}
