//! Transfers a holding to another wallet, which need not agree, or be known to the registry.
use crate::{errors::EnergyError, events::CertificateTransferred, state::CertificateHolding};
use anchor_lang::prelude::*;
use shared::Wh;

#[derive(Accounts)]
pub struct TransferCertificate<'info> {
    pub holder: Signer<'info>,
    #[account(mut, has_one = holder @ EnergyError::NotHolder)]
    pub holding: AccountLoader<'info, CertificateHolding>,
}

impl TransferCertificate<'_> {
    pub fn handle(ctx: Context<Self>, to: Pubkey, wh: u64) -> Result<()> {
        let holding = &mut *ctx.accounts.holding.load_mut()?;
        let former_holder = holding.holder;
        holding.transfer(to, Wh(wh))?;
        emit!(CertificateTransferred {
            certificate: holding.certificate,
            holding: ctx.accounts.holding.key(),
            former_holder,
            holder: to,
            wh,
        });
        Ok(())
    }
}
