//! Burns what was minted for an interval, when the trading program's market closes it.
use crate::{
    errors::EnergyError,
    events::IntervalBurned,
    seeds,
    state::{MintedInterval, State},
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{burn, Burn, Mint, TokenAccount},
};
use shared::Wh;

#[derive(Accounts)]
pub struct BurnInterval<'info> {
    /// The trading program's market; only that program can sign for it.
    pub trading_authority: Signer<'info>,
    #[account(
        mut,
        has_one = trading_authority @ EnergyError::NotTradingMarket,
        has_one = mint @ EnergyError::WrongMint,
        has_one = pool @ EnergyError::WrongPool
    )]
    pub state: Box<Account<'info, State>>,
    #[account(mut)]
    pub minted: Box<Account<'info, MintedInterval>>,
    #[account(mut)]
    pub mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(mut)]
    pub pool: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

impl BurnInterval<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.minted.burn()?;
        let (start_s, wh) = (accounts.minted.start_s, accounts.minted.wh);
        accounts.state.count_burned(Wh(wh))?;
        accounts.burn_from_pool(wh)?;
        emit!(IntervalBurned { start_s, wh });
        accounts
            .state
            .invariant(accounts.mint.supply, accounts.pool.amount)
    }

    fn burn_from_pool(&mut self, wh: u64) -> Result<()> {
        if wh == 0 {
            return Ok(());
        }
        let signer: &[&[u8]] = &[seeds::STATE, &[self.state.bump]];
        let accounts = Burn {
            mint: self.mint.to_account_info(),
            from: self.pool.to_account_info(),
            authority: self.state.to_account_info(),
        };
        let program = self.token_program.key();
        burn(
            CpiContext::new_with_signer(program, accounts, &[signer]),
            wh,
        )?;
        self.mint.reload()?;
        self.pool.reload()
    }
}
