//! Changes a meter's owner without the owner's signature, by a decision of governance with two approvals at least.
use crate::{
    errors::RegistryError,
    events::MeterOwnerChanged,
    state::{Meter, Participant, ACTIVE},
};
use anchor_lang::prelude::*;
use governance::state::{Action, Proposal};

#[derive(Accounts)]
pub struct ReassignMeter<'info> {
    /// The executed proposal of governance.
    pub proposal: Account<'info, Proposal>,
    /// The new owner's entry.
    #[account(constraint = participant.status == ACTIVE @ RegistryError::ParticipantNotActive)]
    pub participant: Account<'info, Participant>,
    #[account(mut, constraint = meter.status == ACTIVE @ RegistryError::MeterNotActive)]
    pub meter: Account<'info, Meter>,
}

impl ReassignMeter<'_> {
    fn validate(&self, now_s: i64) -> Result<()> {
        require!(self.proposal.is_executed(now_s), RegistryError::NotDecided);
        let Action::ReassignMeter(decided) = &self.proposal.action else {
            return err!(RegistryError::NotDecided);
        };
        require!(
            decided.meter == self.meter.key() && decided.owner == self.participant.wallet,
            RegistryError::NotDecided
        );
        require!(
            self.proposal.executed_at_s > self.meter.since_s,
            RegistryError::DecisionOvertaken
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now_s)?;
        let (meter, participant) = (&mut ctx.accounts.meter, &ctx.accounts.participant);
        let old_owner = meter.change_owner(participant, now_s)?;
        emit!(MeterOwnerChanged {
            meter: meter.key(),
            old_owner,
            new_owner: meter.owner,
        });
        Ok(())
    }
}
