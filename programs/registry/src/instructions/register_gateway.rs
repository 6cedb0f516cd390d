//! Registers a gateway. Its keys are added later, one account each.
use crate::{
    errors::RegistryError,
    events::GatewayRegistered,
    seeds,
    state::{id_seed, is_gateway_id, Config, Gateway, ACTIVE},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
#[instruction(id: String)]
pub struct RegisterGateway<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(
        has_one = registrar @ RegistryError::NotRegistrar,
        constraint = is_gateway_id(&id) @ RegistryError::InvalidGatewayId
    )]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    #[account(
        init,
        payer = payer,
        space = 8 + Gateway::INIT_SPACE,
        seeds = [seeds::GATEWAY, id_seed(&id, RegistryError::InvalidGatewayId)?],
        bump
    )]
    pub gateway: Account<'info, Gateway>,
    pub system_program: Program<'info, System>,
}

impl RegisterGateway<'_> {
    pub fn handle(ctx: Context<Self>, id: String) -> Result<()> {
        let gateway = &mut ctx.accounts.gateway;
        emit!(GatewayRegistered {
            gateway: gateway.key(),
            id: id.clone(),
        });
        gateway.set_inner(Gateway {
            id,
            status: ACTIVE,
            key_count: 0,
            registered_at_s: Clock::get()?.unix_timestamp,
            bump: ctx.bumps.gateway,
        });
        Ok(())
    }
}
