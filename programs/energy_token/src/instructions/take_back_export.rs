//! Takes back what is certified of a meter's interval beyond a later revision: it becomes the producer's debt.
use crate::{
    errors::EnergyError,
    events::ExportTakenBack,
    state::{next_attested_s, AttestedEnergy, Certificate, Producer},
};
use anchor_lang::prelude::*;
use oracle::state::Interval;
use registry::state::Meter;
use shared::Wh;

#[derive(Accounts)]
pub struct TakeBackExport<'info> {
    pub meter: Box<Account<'info, Meter>>,
    /// The interval's revision in force.
    pub interval: Box<Account<'info, Interval>>,
    /// CHECK: where the oracle would have the next revision; it is read if it is the oracle's.
    #[account(
        seeds = [
            oracle::seeds::INTERVAL,
            &interval.start_s.to_le_bytes(),
            &interval.revision.saturating_add(1).to_le_bytes()
        ],
        seeds::program = oracle::ID,
        bump
    )]
    pub next_revision: UncheckedAccount<'info>,
    /// Number 0 of the certificates of the meter and the interval.
    #[account(mut, dup)]
    pub first: AccountLoader<'info, Certificate>,
    #[account(mut, dup)]
    pub producer: AccountLoader<'info, Producer>,
}

impl TakeBackExport<'_> {
    pub fn handle(ctx: Context<Self>, energy: &AttestedEnergy, quality: u8) -> Result<()> {
        let accounts = ctx.accounts;
        let interval = &accounts.interval;
        let first = &mut *accounts.first.load_mut()?;
        let producer = &mut *accounts.producer.load_mut()?;
        first.require_first_of(accounts.meter.key(), interval.start_s)?;
        require_keys_eq!(producer.wallet, first.producer, EnergyError::WrongProducer);
        let next_attested_s = next_attested_s(&accounts.next_revision)?;
        let now_s = Clock::get()?.unix_timestamp;
        Certificate::require_in_force(interval, next_attested_s, now_s)?;
        let export = energy.certifiable(interval, &accounts.meter.id, quality)?;
        let Wh(wh) = first.take_back(interval.revision, export)?;
        producer.owe(Wh(wh))?;
        emit!(ExportTakenBack {
            meter: first.meter,
            producer: first.producer,
            production_start_s: first.production_start_s,
            wh,
            revision: interval.revision,
            debt_wh: producer.debt_wh,
        });
        Ok(())
    }
}
