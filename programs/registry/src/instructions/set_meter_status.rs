//! Suspends a meter, reactivates it, or retires it for good, as of now.
use crate::{
    errors::RegistryError,
    events::MeterStatusSet,
    state::{Config, Meter},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct SetMeterStatus<'info> {
    #[account(has_one = registrar @ RegistryError::NotRegistrar)]
    pub config: Account<'info, Config>,
    pub registrar: Signer<'info>,
    #[account(mut)]
    pub meter: Account<'info, Meter>,
}

impl SetMeterStatus<'_> {
    pub fn handle(ctx: Context<Self>, status: u8) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let meter = &mut ctx.accounts.meter;
        meter.change_status(status, now_s, now_s)?;
        emit!(MeterStatusSet {
            meter: meter.key(),
            status,
        });
        meter.invariant()
    }
}
