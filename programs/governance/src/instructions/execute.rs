//! Carries out what enough members have approved.
use crate::{
    errors::GovernanceError,
    events::{Executed, PauseSet, RatesScheduled},
    seeds,
    state::{Action, Authority, Params, Pause, Proposal, RateSet},
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
        self.proposal
            .require_due(&self.authority, &self.params, now)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now)?;
        ctx.accounts.carry_out(now)?;
        ctx.accounts.proposal.finish(now);
        emit!(Executed {
            index: ctx.accounts.proposal.index,
        });
        ctx.accounts.params.invariant()
    }

    /// What another program has to do, it does when it sees the executed proposal.
    fn carry_out(&mut self, now: i64) -> Result<()> {
        match &self.proposal.action {
            Action::SetPause(paused) => self.set_pause(*paused, now),
            Action::ScheduleRates(rates) => self.schedule(*rates, now),
            Action::SetTimeLock(seconds) => {
                self.params.time_lock_s = *seconds;
                Ok(())
            }
            Action::SetVoteRules(rules) => {
                self.params.votes = *rules;
                Ok(())
            }
            Action::ChangeAttestors(set) => {
                self.params.require_attestors_at(set.effective_from, now)
            }
            Action::ChangeRegistrar(_)
            | Action::ReassignMeter(_)
            | Action::Resolve(_)
            | Action::ChangeSettler(_)
            | Action::ChangePayees(_) => Ok(()),
            Action::ChangeAuthority(_) | Action::Upgrade(_) | Action::ChangeUpgradeAuthority(_) => {
                err!(GovernanceError::OwnInstruction)
            }
        }
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
