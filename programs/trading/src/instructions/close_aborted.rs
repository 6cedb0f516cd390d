//! Closes an aborted settlement when all its lines are returned, and burns the interval's energy. Anybody may call it.
use crate::{
    errors::TradingError,
    events::SettlementClosed,
    state::{IntervalSettlement, Market},
    tokens::burn_energy,
};
use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;
use energy_token::{cpi::accounts::BurnInterval, program::EnergyToken, state::MintedInterval};

#[derive(Accounts)]
pub struct CloseAborted<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
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
}

impl<'info> CloseAborted<'info> {
    fn validate(&self) -> Result<()> {
        require!(
            self.minted.start_s == self.settlement.load()?.start_s,
            TradingError::WrongInterval
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.validate()?;
        accounts.book()?;
        let bump = accounts.market.load()?.bump;
        burn_energy(accounts.burn(), bump)
    }

    fn book(&self) -> Result<()> {
        let mut settlement = self.settlement.load_mut()?;
        let mut market = self.market.load_mut()?;
        settlement.close_aborted(Clock::get()?.unix_timestamp, &mut market.crediting_starts_s)?;
        emit!(SettlementClosed {
            start_s: settlement.start_s,
            line_count: 0,
            bought_wh: 0,
            charges_micros: 0,
        });
        Ok(())
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
