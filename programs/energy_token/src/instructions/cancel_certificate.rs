//! Cancels a holding: its energy is claimed for a beneficiary and a purpose, and nobody can claim it again.
use crate::{
    errors::EnergyError,
    events::CertificateCancelled,
    seeds,
    state::{Cancellation, Certificate, CertificateHolding},
};
use anchor_lang::prelude::*;
use shared::Wh;

#[derive(Accounts)]
#[instruction(beneficiary: String, purpose: String)]
pub struct CancelCertificate<'info> {
    /// Pays rent; may be anybody.
    #[account(mut)]
    pub payer: Signer<'info>,
    pub holder: Signer<'info>,
    #[account(mut, dup)]
    pub certificate: AccountLoader<'info, Certificate>,
    #[account(
        mut,
        dup,
        has_one = holder @ EnergyError::NotHolder,
        has_one = certificate @ EnergyError::WrongCertificate,
        constraint = holding.load()?.cancelled == 0 @ EnergyError::Cancelled
    )]
    pub holding: AccountLoader<'info, CertificateHolding>,
    #[account(
        init,
        dup,
        payer = payer,
        space = Cancellation::size_for(&beneficiary, &purpose),
        seeds = [seeds::CANCELLATION, holding.key().as_ref()],
        bump
    )]
    pub cancellation: Box<Account<'info, Cancellation>>,
    pub system_program: Program<'info, System>,
}

impl CancelCertificate<'_> {
    pub fn handle(ctx: Context<Self>, beneficiary: String, purpose: String) -> Result<()> {
        let accounts = ctx.accounts;
        let certificate = &mut *accounts.certificate.load_mut()?;
        let holding = &mut *accounts.holding.load_mut()?;
        holding.cancel()?;
        certificate.count_cancelled(Wh(holding.wh))?;
        emit!(CertificateCancelled {
            certificate: holding.certificate,
            holding: accounts.holding.key(),
            holder: holding.holder,
            wh: holding.wh,
            beneficiary: beneficiary.clone(),
            purpose: purpose.clone(),
        });
        accounts.cancellation.set_inner(Cancellation {
            holding: accounts.holding.key(),
            cancelled_at_s: Clock::get()?.unix_timestamp,
            beneficiary,
            purpose,
            bump: ctx.bumps.cancellation,
        });
        accounts.cancellation.invariant()?;
        certificate.invariant()
    }
}
