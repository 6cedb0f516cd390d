//! Carries out what enough members have approved.
use crate::{
    errors::GovernanceError,
    events::{Executed, PauseSet, RatesScheduled},
    seeds,
    state::{Action, Authority, Params, Pause, Proposal, ProposalStatus, RateSet},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct Execute<'info> {
    #[account(seeds = [seeds::AUTHORITY], bump = authority.bump)]
    pub authority: Account<'info, Authority>,
    #[account(
        mut,
        dup,
        seeds = [seeds::PROPOSAL, &proposal.index.to_le_bytes()],
        bump = proposal.bump
    )]
    pub proposal: Account<'info, Proposal>,
    #[account(mut, dup, seeds = [seeds::PARAMS], bump = params.bump)]
    pub params: Account<'info, Params>,
    #[account(mut, dup, seeds = [seeds::PAUSE], bump = pause.bump)]
    pub pause: Account<'info, Pause>,
}

impl Execute<'_> {
    fn validate(&self, now: i64) -> Result<()> {
        self.proposal.require_live(&self.authority, now)?;
        require!(
            self.proposal.approval_count() >= self.authority.threshold,
            GovernanceError::NotEnoughApprovals
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now)?;
        ctx.accounts.proposal.status = ProposalStatus::Executed;
        match ctx.accounts.proposal.action {
            Action::SetPause(paused) => ctx.accounts.set_pause(paused, now)?,
            Action::ScheduleRates(rates) => ctx.accounts.schedule(rates, now)?,
        }
        emit!(Executed {
            index: ctx.accounts.proposal.index,
        });
        ctx.accounts.params.invariant()
    }

    fn set_pause(&mut self, paused: bool, now: i64) -> Result<()> {
        self.pause.decide(paused, self.proposal.index, now)?;
        emit!(PauseSet { paused, since: now });
        Ok(())
    }

    fn schedule(&mut self, rates: RateSet, now: i64) -> Result<()> {
        self.params.schedule(rates, now)?;
        emit!(RatesScheduled { rates });
        Ok(())
    }
}
