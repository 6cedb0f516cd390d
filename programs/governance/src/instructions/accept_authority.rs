//! Puts a new authority set in force: its members accept it, after the old set's approval and the time lock.
use crate::{
    errors::GovernanceError,
    events::{AuthorityChanged, Executed},
    seeds,
    state::{Action, Authority, AuthoritySet, Params, Proposal},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    #[account(mut, dup, seeds = [seeds::AUTHORITY], bump = authority.bump)]
    pub authority: Account<'info, Authority>,
    #[account(seeds = [seeds::PARAMS], bump = params.bump)]
    pub params: Account<'info, Params>,
    #[account(
        mut,
        dup,
        seeds = [seeds::PROPOSAL, &proposal.index.to_le_bytes()],
        bump = proposal.bump
    )]
    pub proposal: Account<'info, Proposal>,
}

impl<'info> AcceptAuthority<'info> {
    fn validate(&self, now_s: i64) -> Result<AuthoritySet> {
        self.proposal
            .require_due(&self.authority, &self.params, now_s)?;
        match &self.proposal.action {
            Action::ChangeAuthority(set) => Ok(set.clone()),
            _ => err!(GovernanceError::WrongAction),
        }
    }

    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let set = ctx.accounts.validate(now_s)?;
        set.require_acceptance(ctx.remaining_accounts)?;
        let (authority, proposal) = (&mut ctx.accounts.authority, &mut ctx.accounts.proposal);
        proposal.mark_executed(now_s);
        authority.change(set)?;
        emit!(Executed {
            proposal_index: proposal.index,
        });
        emit!(AuthorityChanged {
            set_index: authority.set_index,
            rec_validator: authority.rec_validator,
            members: authority.members.clone(),
            threshold: authority.threshold,
        });
        Ok(())
    }
}
