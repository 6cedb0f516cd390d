//! Changes a meter's owner, with both wallets' signatures and nobody else's.
use crate::{
    errors::RegistryError,
    events::MeterOwnerChanged,
    state::{Meter, Participant, ACTIVE},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct TransferMeter<'info> {
    /// The owner's wallet.
    pub owner: Signer<'info>,
    /// The new owner's wallet.
    pub new_owner: Signer<'info>,
    /// The owner's entry.
    #[account(
        constraint = old_participant.wallet == owner.key() @ RegistryError::WrongParticipant,
        constraint = old_participant.status == ACTIVE @ RegistryError::ParticipantNotActive
    )]
    pub old_participant: Account<'info, Participant>,
    /// The new owner's entry.
    #[account(
        constraint = new_participant.wallet == new_owner.key() @ RegistryError::WrongParticipant,
        constraint = new_participant.status == ACTIVE @ RegistryError::ParticipantNotActive
    )]
    pub new_participant: Account<'info, Participant>,
    #[account(
        mut,
        has_one = owner @ RegistryError::NotOwner,
        constraint = meter.status == ACTIVE @ RegistryError::MeterNotActive
    )]
    pub meter: Account<'info, Meter>,
}

impl TransferMeter<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let (meter, participant) = (&mut ctx.accounts.meter, &ctx.accounts.new_participant);
        let old_owner = meter.change_owner(participant, now_s)?;
        emit!(MeterOwnerChanged {
            meter: meter.key(),
            old_owner,
            new_owner: meter.owner,
        });
        Ok(())
    }
}
