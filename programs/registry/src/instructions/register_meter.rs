//! Registers a meter with its owner and its gateway.
use crate::{
    errors::RegistryError,
    events::MeterRegistered,
    seeds,
    state::{id_seed, is_meter_id, Config, Gateway, Meter, Participant, ACTIVE},
};
use anchor_lang::prelude::*;

pub struct RegisterMeterArgs {
    /// 1 to 32 of A-Z, 0-9 and _.
    pub id: String,
    /// 1 load, 2 generation, 3 bidirectional, 4 feeder.
    pub kind: u8,
    pub rated_power_w: u32,
    /// SHA-256 of the serial number on the meter's plate.
    pub serial_hash: [u8; 32],
}

#[derive(Accounts)]
#[instruction(id: String)]
pub struct RegisterMeter<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(
        has_one = registrar @ RegistryError::NotRegistrar,
        constraint = is_meter_id(&id) @ RegistryError::InvalidMeterId
    )]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    /// The owner's entry.
    #[account(constraint = participant.status == ACTIVE @ RegistryError::ParticipantNotActive)]
    pub participant: Account<'info, Participant>,
    /// The gateway that reads the meter.
    #[account(constraint = gateway.status == ACTIVE @ RegistryError::GatewayNotActive)]
    pub gateway: Account<'info, Gateway>,
    #[account(
        init,
        payer = payer,
        space = 8 + Meter::INIT_SPACE,
        seeds = [seeds::METER, id_seed(&id, RegistryError::InvalidMeterId)?],
        bump
    )]
    pub meter: Account<'info, Meter>,
    pub system_program: Program<'info, System>,
}

impl RegisterMeter<'_> {
    pub fn handle(ctx: Context<Self>, args: RegisterMeterArgs) -> Result<()> {
        let accounts = ctx.accounts;
        let owner = accounts.participant.wallet;
        let gateway = accounts.gateway.key();
        accounts.meter.set_inner(Meter {
            id: args.id,
            owner,
            gateway,
            kind: args.kind,
            rated_power_w: args.rated_power_w,
            serial_hash: args.serial_hash,
            status: ACTIVE,
            zone: accounts.participant.zone,
            since_s: Clock::get()?.unix_timestamp,
            usage_point: None,
            bump: ctx.bumps.meter,
        });
        accounts.meter.invariant()?;
        emit!(MeterRegistered {
            meter: accounts.meter.key(),
            owner,
            gateway,
        });
        Ok(())
    }
}
