//! Executes a proposal that enough members have approved.
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
    fn validate(&self, now_s: i64) -> Result<()> {
        self.proposal
            .require_due(&self.authority, &self.params, now_s)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now_s)?;
        ctx.accounts.apply_action(now_s)?;
        ctx.accounts.proposal.mark_executed(now_s);
        emit!(Executed {
            proposal_index: ctx.accounts.proposal.index,
        });
        ctx.accounts.params.invariant()
    }

    /// Applies what concerns governance; another program acts when it is shown the executed proposal.
    fn apply_action(&mut self, now_s: i64) -> Result<()> {
        match &self.proposal.action {
            Action::SetPause(paused) => self.set_pause(*paused, now_s),
            Action::ScheduleRates(rates) => self.schedule(*rates, now_s),
            Action::SetTimeLock(time_lock_s) => {
                self.params.time_lock_s = *time_lock_s;
                Ok(())
            }
            Action::SetVoteRules(rules) => {
                self.params.vote_rules = *rules;
                Ok(())
            }
            Action::ChangeAttestors(set) => self
                .params
                .require_attestors_at(set.effective_from_s, now_s),
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

    fn set_pause(&mut self, paused: bool, now_s: i64) -> Result<()> {
        self.pause.decide(paused, self.proposal.index, now_s)?;
        emit!(PauseSet {
            paused,
            since_s: now_s
        });
        Ok(())
    }

    fn schedule(&mut self, rates: RateSet, now_s: i64) -> Result<()> {
        self.params.schedule(rates, now_s)?;
        emit!(RatesScheduled { rates });
        Ok(())
    }
}
