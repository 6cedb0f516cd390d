//! Suspends a participant, takes one back, or retires one for good. What lies in the market's account stays theirs.
use crate::{
    errors::RegistryError,
    events::ParticipantStatusSet,
    state::{require_change, Config, Participant, ACTIVE},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct SetParticipantStatus<'info> {
    #[account(mut, dup, has_one = registrar @ RegistryError::NotRegistrar)]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    #[account(mut, dup)]
    pub participant: Account<'info, Participant>,
}

impl SetParticipantStatus<'_> {
    fn validate(&self, status: u8) -> Result<()> {
        require_change(self.participant.status, status)
    }

    pub fn handle(ctx: Context<Self>, status: u8) -> Result<()> {
        ctx.accounts.validate(status)?;
        let (config, participant) = (&mut ctx.accounts.config, &mut ctx.accounts.participant);
        if participant.status == ACTIVE {
            config.count_out()?;
        }
        if status == ACTIVE {
            config.count_in()?;
        }
        participant.status = status;
        emit!(ParticipantStatusSet {
            wallet: participant.wallet,
            status,
        });
        Ok(())
    }
}
