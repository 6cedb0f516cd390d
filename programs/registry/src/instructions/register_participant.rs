//! Registers a wallet as participant, with the registrar's and the wallet's signature.
use crate::{
    errors::RegistryError,
    events::ParticipantRegistered,
    seeds,
    state::{Config, Participant, ACTIVE, CAMPUS_ZONE},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct RegisterParticipant<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(mut, dup, has_one = registrar @ RegistryError::NotRegistrar)]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    /// The new participant's key.
    pub wallet: Signer<'info>,
    #[account(
        init,
        payer = payer,
        space = 8 + Participant::INIT_SPACE,
        seeds = [seeds::PARTICIPANT, wallet.key.as_ref()],
        bump
    )]
    pub participant: Account<'info, Participant>,
    pub system_program: Program<'info, System>,
}

impl RegisterParticipant<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let wallet = ctx.accounts.wallet.key();
        ctx.accounts.participant.set_inner(Participant {
            wallet,
            zone: CAMPUS_ZONE,
            status: ACTIVE,
            registered_at_s: Clock::get()?.unix_timestamp,
            bump: ctx.bumps.participant,
        });
        emit!(ParticipantRegistered { wallet });
        ctx.accounts.config.increment_participants()
    }
}
