//! Gives a meter to another participant where its owner does not sign: by a decision of governance, of two at least.
use crate::{
    errors::RegistryError,
    events::MeterOwnerChanged,
    state::{Meter, Participant, ACTIVE},
};
use anchor_lang::prelude::*;
use governance::state::{Action, Proposal};

#[derive(Accounts)]
pub struct ReassignMeter<'info> {
    /// Governance's decision.
    pub proposal: Account<'info, Proposal>,
    /// The new owner's.
    #[account(constraint = participant.status == ACTIVE @ RegistryError::ParticipantNotActive)]
    pub participant: Account<'info, Participant>,
    #[account(mut, constraint = meter.status == ACTIVE @ RegistryError::MeterNotActive)]
    pub meter: Account<'info, Meter>,
}

impl ReassignMeter<'_> {
    fn validate(&self, now: i64) -> Result<()> {
        require!(self.proposal.is_executed(now), RegistryError::NotDecided);
        let Action::ReassignMeter(decided) = &self.proposal.action else {
            return err!(RegistryError::NotDecided);
        };
        require!(
            decided.meter == self.meter.key() && decided.owner == self.participant.wallet,
            RegistryError::NotDecided
        );
        require!(
            self.proposal.executed_at > self.meter.since,
            RegistryError::DecisionOvertaken
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        ctx.accounts.validate(now)?;
        let (meter, participant) = (&mut ctx.accounts.meter, &ctx.accounts.participant);
        let old_owner = meter.change_owner(participant, now)?;
        emit!(MeterOwnerChanged {
            meter: meter.key(),
            old_owner,
            new_owner: meter.owner,
        });
        Ok(())
    }
}
