//! Suspends a participant, reactivates it, or retires it for good. Its balance in the market stays its own.
use crate::{
    errors::RegistryError,
    events::ParticipantStatusSet,
    state::{require_status_change, Config, Participant, ACTIVE},
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
        require_status_change(self.participant.status, status)
    }

    pub fn handle(ctx: Context<Self>, status: u8) -> Result<()> {
        ctx.accounts.validate(status)?;
        let (config, participant) = (&mut ctx.accounts.config, &mut ctx.accounts.participant);
        if participant.status == ACTIVE {
            config.decrement_participants()?;
        }
        if status == ACTIVE {
            config.increment_participants()?;
        }
        participant.status = status;
        emit!(ParticipantStatusSet {
            wallet: participant.wallet,
            status,
        });
        Ok(())
    }
}
