//! Slices a part off a holding, into a holding of its own of the same holder.
use crate::{
    errors::EnergyError,
    events::CertificateSliced,
    seeds,
    state::{Certificate, CertificateHolding},
};
use anchor_lang::prelude::*;
use shared::Wh;

#[derive(Accounts)]
pub struct SliceCertificate<'info> {
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
        has_one = certificate @ EnergyError::WrongCertificate
    )]
    pub holding: AccountLoader<'info, CertificateHolding>,
    /// The new holding.
    #[account(
        init,
        dup,
        payer = payer,
        space = 8 + core::mem::size_of::<CertificateHolding>(),
        seeds = [
            seeds::HOLDING,
            certificate.key().as_ref(),
            &certificate.load()?.holding_count.to_le_bytes()
        ],
        bump
    )]
    pub part: AccountLoader<'info, CertificateHolding>,
    pub system_program: Program<'info, System>,
}

impl SliceCertificate<'_> {
    pub fn handle(ctx: Context<Self>, wh: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let certificate = &mut *accounts.certificate.load_mut()?;
        let holding = &mut *accounts.holding.load_mut()?;
        holding.slice(Wh(wh))?;
        let number = certificate.next_holding_number()?;
        let (address, holder) = (accounts.certificate.key(), accounts.holder.key());
        let mut part = accounts.part.load_init()?;
        part.init(address, holder, Wh(wh), number, ctx.bumps.part);
        emit!(CertificateSliced {
            certificate: address,
            holding: accounts.holding.key(),
            part: accounts.part.key(),
            holder,
            remaining_wh: holding.wh,
            part_wh: wh,
        });
        certificate.invariant()
    }
}
