//! Closes an interval without lines and burns its energy: nothing was traded, or it is too late to open.
use crate::{
    errors::TradingError,
    events::SettlementClosed,
    seeds,
    state::{status, IntervalSettlement, Market, OPEN_WINDOW_S},
    tokens::burn_energy,
};
use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;
use energy_token::{cpi::accounts::BurnInterval, program::EnergyToken, state::MintedInterval};
use oracle::state::Interval;

#[derive(Accounts)]
#[instruction(start_s: i64)]
pub struct CloseEmpty<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The market's settler, or anybody when it is too late to open.
    pub caller: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    /// Revision 1 of the attested interval.
    pub interval: Box<Account<'info, Interval>>,
    #[account(
        init,
        payer = payer,
        space = IntervalSettlement::size_for(0),
        seeds = [seeds::SETTLEMENT, &start_s.to_le_bytes()],
        bump
    )]
    pub settlement: AccountLoader<'info, IntervalSettlement>,
    /// The interval's minted energy.
    #[account(mut)]
    pub minted: Box<Account<'info, MintedInterval>>,
    #[account(mut)]
    pub energy_state: Box<Account<'info, energy_token::state::State>>,
    /// CHECK: energy_token's state names it, and energy_token compares.
    #[account(mut)]
    pub energy_mint: UncheckedAccount<'info>,
    /// CHECK: energy_token's state names it, and energy_token compares.
    #[account(mut)]
    pub energy_pool: UncheckedAccount<'info>,
    pub energy_program: Program<'info, EnergyToken>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

impl<'info> CloseEmpty<'info> {
    fn validate(&self, start_s: i64, now_s: i64) -> Result<()> {
        let interval = &self.interval;
        require!(
            interval.start_s == start_s && interval.revision == 1 && self.minted.start_s == start_s,
            TradingError::WrongInterval
        );
        let latest_s = interval.end_s.checked_add(OPEN_WINDOW_S);
        let too_late_to_open = latest_s.is_some_and(|s| now_s > s);
        require!(
            too_late_to_open || self.market.load()?.settler == self.caller.key(),
            TradingError::TooEarly
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, start_s: i64) -> Result<()> {
        let accounts = ctx.accounts;
        let now_s = Clock::get()?.unix_timestamp;
        accounts.validate(start_s, now_s)?;
        let mut settlement = accounts.settlement.load_init()?;
        settlement.start_s = start_s;
        settlement.end_s = accounts.interval.end_s;
        settlement.opened_at_s = now_s;
        settlement.closed_at_s = now_s;
        settlement.status = status::EMPTY;
        settlement.bump = ctx.bumps.settlement;
        emit!(SettlementClosed {
            start_s,
            line_count: 0,
            bought_wh: 0,
            charges_micros: 0,
        });
        let bump = accounts.market.load()?.bump;
        burn_energy(accounts.burn(), bump)
    }

    fn burn(&self) -> BurnInterval<'info> {
        BurnInterval {
            trading_authority: self.market.to_account_info(),
            state: self.energy_state.to_account_info(),
            minted: self.minted.to_account_info(),
            mint: self.energy_mint.to_account_info(),
            pool: self.energy_pool.to_account_info(),
            token_program: self.token_program.to_account_info(),
        }
    }
}
