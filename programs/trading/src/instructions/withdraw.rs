//! Withdraws money above the locked reserve to a token account of the wallet's choice. What a settlement has credited
//! is free when it is closed, or aborted and taken back, which anybody can do a day after the interval.
//!
//! Reads neither pause nor any other account that somebody else controls.
use crate::{
    errors::TradingError,
    events::Withdrawn,
    state::{self, Market},
    tokens::pay_out,
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount, TransferChecked},
};
use shared::Micros;

#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// Owner of the account.
    pub wallet: Signer<'info>,
    #[account(
        mut,
        has_one = currency_mint @ TradingError::WrongCurrency,
        has_one = pool @ TradingError::WrongPool
    )]
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub account: AccountLoader<'info, state::Account>,
    pub currency_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Any token account of the currency but the pool, which may not stand in two places.
    #[account(mut)]
    pub destination: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(mut)]
    pub pool: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

impl Withdraw<'_> {
    fn validate(&self, amount: Micros) -> Result<()> {
        require!(amount > Micros::ZERO, TradingError::NothingToDo);
        self.account.load()?.require_wallet(self.wallet.key)?;
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_micros: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let amount = Micros(amount_micros);
        accounts.validate(amount)?;
        accounts.book(amount)?;
        accounts.pay(amount)?;
        let market = accounts.market.load()?;
        Ok(market.invariant(accounts.pool.amount)?)
    }

    fn book(&self, amount: Micros) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let mut market = self.market.load_mut()?;
        let mut account = self.account.load_mut()?;
        account.withdraw(amount, now_s, market.interval_s, &market.crediting_starts_s)?;
        market.decrease_owed(amount)?;
        emit!(Withdrawn {
            wallet: account.wallet,
            amount_micros: amount.0,
            balance_micros: account.balance_micros,
        });
        Ok(())
    }

    fn pay(&mut self, amount: Micros) -> Result<()> {
        let bump = self.market.load()?.bump;
        let accounts = TransferChecked {
            from: self.pool.to_account_info(),
            mint: self.currency_mint.to_account_info(),
            to: self.destination.to_account_info(),
            authority: self.market.to_account_info(),
        };
        pay_out(self.token_program.key(), accounts, bump, amount.0)?;
        self.pool.reload()
    }
}
