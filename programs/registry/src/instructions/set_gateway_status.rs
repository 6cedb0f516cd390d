//! Suspends a gateway, reactivates it, or retires it for good. Its keys and what they signed stay on record.
use crate::{
    errors::RegistryError,
    events::GatewayStatusSet,
    state::{require_status_change, Config, Gateway},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct SetGatewayStatus<'info> {
    #[account(has_one = registrar @ RegistryError::NotRegistrar)]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    #[account(mut)]
    pub gateway: Account<'info, Gateway>,
}

impl SetGatewayStatus<'_> {
    fn validate(&self, status: u8) -> Result<()> {
        require_status_change(self.gateway.status, status)
    }

    pub fn handle(ctx: Context<Self>, status: u8) -> Result<()> {
        ctx.accounts.validate(status)?;
        ctx.accounts.gateway.status = status;
        emit!(GatewayStatusSet {
            gateway: ctx.accounts.gateway.key(),
            status,
        });
        Ok(())
    }
}
