//! Opens the account of a participant who produces: certificates are issued to nobody without one.
use crate::{events::ProducerOpened, seeds, state::Producer};
use anchor_lang::prelude::*;
use registry::state::Participant;

#[derive(Accounts)]
pub struct OpenProducer<'info> {
    /// Pays rent; may be anybody.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The producer's entry in the registry, of whatever status.
    pub participant: Account<'info, Participant>,
    #[account(
        init,
        payer = payer,
        space = 8 + core::mem::size_of::<Producer>(),
        seeds = [seeds::PRODUCER, participant.wallet.as_ref()],
        bump
    )]
    pub producer: AccountLoader<'info, Producer>,
    pub system_program: Program<'info, System>,
}

impl OpenProducer<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let wallet = accounts.participant.wallet;
        let mut producer = accounts.producer.load_init()?;
        producer.wallet = wallet;
        producer.bump = ctx.bumps.producer;
        emit!(ProducerOpened { wallet });
        Ok(())
    }
}
