//! Deposits money from the wallet's token account to its balance.
use crate::{
    errors::TradingError,
    events::Deposited,
    state::{self, Market, CURRENCY_DECIMALS},
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{transfer_checked, Mint, TokenAccount, TransferChecked},
};
use shared::Micros;

#[derive(Accounts)]
pub struct Deposit<'info> {
    /// Owner of the account and of the source.
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
    /// The wallet's token account.
    #[account(mut)]
    pub source: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(mut)]
    pub pool: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

impl Deposit<'_> {
    fn validate(&self, amount: Micros) -> Result<()> {
        require!(amount > Micros::ZERO, TradingError::NothingToDo);
        self.account.load()?.require_wallet(self.wallet.key)?;
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_micros: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let amount = Micros(amount_micros);
        accounts.validate(amount)?;
        accounts.pay_in(amount)?;
        let mut account = accounts.account.load_mut()?;
        account.deposit(amount)?;
        emit!(Deposited {
            wallet: account.wallet,
            amount_micros,
            balance_micros: account.balance_micros,
        });
        let mut market = accounts.market.load_mut()?;
        market.increase_owed(amount)?;
        Ok(market.invariant(accounts.pool.amount)?)
    }

    fn pay_in(&mut self, amount: Micros) -> Result<()> {
        let accounts = TransferChecked {
            from: self.source.to_account_info(),
            mint: self.currency_mint.to_account_info(),
            to: self.pool.to_account_info(),
            authority: self.wallet.to_account_info(),
        };
        let context = CpiContext::new(self.token_program.key(), accounts);
        transfer_checked(context, amount.0, CURRENCY_DECIMALS)?;
        let expected = Micros(self.pool.amount).checked_add(amount);
        self.pool.reload()?;
        require!(
            expected == Some(Micros(self.pool.amount)),
            TradingError::PoolShort
        );
        Ok(())
    }
}
