//! Ends a gateway's signing key, which was lost or replaced.
use crate::{
    errors::RegistryError,
    events::GatewayKeyEnded,
    state::{Config, GatewayKey},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct EndGatewayKey<'info> {
    #[account(has_one = registrar @ RegistryError::NotRegistrar)]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    #[account(mut)]
    pub gateway_key: Account<'info, GatewayKey>,
}

impl EndGatewayKey<'_> {
    pub fn handle(ctx: Context<Self>, valid_until_s: i64) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let key = &mut ctx.accounts.gateway_key;
        key.end_at(valid_until_s, now_s)?;
        emit!(GatewayKeyEnded {
            gateway: key.gateway,
            key: key.key,
            valid_until_s,
        });
        Ok(())
    }
}
