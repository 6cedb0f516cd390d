//! Replaces a meter: retires the old one at a given second, from which the new one measures the same usage point.
use super::RegisterMeterArgs;
use crate::{
    errors::RegistryError,
    events::MeterSwapped,
    seeds,
    state::{id_seed, is_meter_id, Config, Gateway, Meter, ACTIVE, RETIRED},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
#[instruction(id: String)]
pub struct SwapMeter<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(
        has_one = registrar @ RegistryError::NotRegistrar,
        constraint = is_meter_id(&id) @ RegistryError::InvalidMeterId
    )]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    #[account(mut, dup, constraint = old_meter.status == ACTIVE @ RegistryError::MeterNotActive)]
    pub old_meter: Account<'info, Meter>,
    /// The gateway that reads the new meter.
    #[account(constraint = gateway.status == ACTIVE @ RegistryError::GatewayNotActive)]
    pub gateway: Account<'info, Gateway>,
    #[account(
        init,
        payer = payer,
        space = 8 + Meter::INIT_SPACE,
        seeds = [seeds::METER, id_seed(&id, RegistryError::InvalidMeterId)?],
        bump
    )]
    pub new_meter: Account<'info, Meter>,
    pub system_program: Program<'info, System>,
}

impl SwapMeter<'_> {
    pub fn handle(ctx: Context<Self>, args: RegisterMeterArgs, at_s: i64) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let accounts = ctx.accounts;
        let old = &mut accounts.old_meter;
        old.change_status(RETIRED, at_s, now_s)?;
        let usage_point = old.usage_point.unwrap_or(old.key());
        accounts.new_meter.set_inner(Meter {
            id: args.id,
            owner: old.owner,
            gateway: accounts.gateway.key(),
            kind: args.kind,
            rated_power_w: args.rated_power_w,
            serial_hash: args.serial_hash,
            status: ACTIVE,
            zone: old.zone,
            since_s: at_s,
            usage_point: Some(usage_point),
            bump: ctx.bumps.new_meter,
        });
        emit!(MeterSwapped {
            usage_point,
            old_meter: old.key(),
            new_meter: accounts.new_meter.key(),
            at_s,
        });
        accounts.new_meter.invariant()
    }
}
