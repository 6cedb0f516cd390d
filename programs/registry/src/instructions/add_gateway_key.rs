//! Adds a signing key to a gateway. A key has one account, so no second gateway can have it.
use crate::{
    errors::RegistryError,
    events::GatewayKeyAdded,
    seeds,
    state::{Config, Gateway, GatewayKey, ACTIVE, MAX_BACKDATE_S, MAX_LEAD_S},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
#[instruction(key: Pubkey)]
pub struct AddGatewayKey<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(has_one = registrar @ RegistryError::NotRegistrar)]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    #[account(mut, dup, constraint = gateway.status == ACTIVE @ RegistryError::GatewayNotActive)]
    pub gateway: Account<'info, Gateway>,
    #[account(
        init,
        payer = payer,
        space = 8 + GatewayKey::INIT_SPACE,
        seeds = [seeds::GATEWAY_KEY, key.as_ref()],
        bump
    )]
    pub gateway_key: Account<'info, GatewayKey>,
    pub system_program: Program<'info, System>,
}

impl AddGatewayKey<'_> {
    fn validate(&self, key: Pubkey, valid_from_s: i64) -> Result<()> {
        require_keys_neq!(key, Pubkey::default(), RegistryError::InvalidKey);
        let latest_s = Clock::get()?.unix_timestamp.saturating_add(MAX_LEAD_S);
        let earliest_s = self.gateway.registered_at_s.saturating_sub(MAX_BACKDATE_S);
        require!(
            (earliest_s.max(1)..=latest_s).contains(&valid_from_s),
            RegistryError::InvalidValidFrom
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, key: Pubkey, valid_from_s: i64) -> Result<()> {
        ctx.accounts.validate(key, valid_from_s)?;
        let gateway = &mut ctx.accounts.gateway;
        gateway.key_count = gateway
            .key_count
            .checked_add(1)
            .ok_or(RegistryError::Overflow)?;
        ctx.accounts.gateway_key.set_inner(GatewayKey {
            gateway: gateway.key(),
            key,
            valid_from_s,
            valid_until_s: 0,
            bump: ctx.bumps.gateway_key,
        });
        emit!(GatewayKeyAdded {
            gateway: gateway.key(),
            key,
            valid_from_s,
        });
        Ok(())
    }
}
