//! Moves a vault's charges to the payee that governance has named. Anybody may call it: they can go nowhere else.
use crate::{errors::TradingError, events::ChargesCollected, state::Market, tokens::pay_out};
use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount, TransferChecked},
};
use shared::Micros;

#[derive(Accounts)]
pub struct CollectCharges<'info> {
    #[account(mut, has_one = currency_mint @ TradingError::WrongCurrency)]
    pub market: AccountLoader<'info, Market>,
    pub currency_mint: Box<InterfaceAccount<'info, Mint>>,
    /// One of the market's vaults.
    #[account(mut)]
    pub vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: the market names it; the token program checks that it is of the currency.
    #[account(mut)]
    pub payee: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
}

impl CollectCharges<'_> {
    fn validate(&self) -> Result<()> {
        let payee = self.market.load()?.payee_of(&self.vault.key())?;
        require_keys_eq!(payee, self.payee.key(), TradingError::NotDecidedAccount);
        require!(self.vault.amount > 0, TradingError::NothingToDo);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.validate()?;
        let amount_micros = accounts.vault.amount;
        let bump = {
            let mut market = accounts.market.load_mut()?;
            market.count_collected(Micros(amount_micros))?;
            market.bump
        };
        let transfer = TransferChecked {
            from: accounts.vault.to_account_info(),
            mint: accounts.currency_mint.to_account_info(),
            to: accounts.payee.to_account_info(),
            authority: accounts.market.to_account_info(),
        };
        pay_out(accounts.token_program.key(), transfer, bump, amount_micros)?;
        emit!(ChargesCollected {
            vault: accounts.vault.key(),
            payee: accounts.payee.key(),
            amount_micros,
        });
        Ok(())
    }
}
